/** A setting, secret or file that is missing or wrong, found before any resource is touched. */
export class WrongSetting extends Error {
  override name = 'WrongSetting'
  /** By this Pulumi knows errors whose message says everything, and shows no stack. */
  readonly __pulumiRunError = true
}
