/** A missing or invalid setting, secret or file, detected before any resource is touched. */
export class WrongSetting extends Error {
  override name = 'WrongSetting'
  /** Tells Pulumi that the message is sufficient, so that it shows no stack trace. */
  readonly __pulumiRunError = true
}
