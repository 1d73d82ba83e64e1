import { ssm } from '@pulumi/aws'
import { all, type Input, type Output, secret } from '@pulumi/pulumi'
import { RandomPassword } from '@pulumi/random'
import type { Environment, Settings } from './settings.ts'
import type { Stack } from './stack.ts'
import { WrongSetting } from './wrong-setting.ts'

/** Secrets set by `sst secret set NAME VALUE --stage STAGE`. Their values are validated here and never shown. */
const known = {
  StoreUrl: {
    fits: (value: string) => /^mongodb(\+srv)?:\/\/\S+$/.test(value),
    must: 'be the address of a MongoDB: mongodb://… or mongodb+srv://…',
  },
  SessionSecret: { fits: (value: string) => value.length >= 32, must: 'have at least 32 characters' },
  OriginSecret: { fits: isHeaderSecret, must: 'be 24 to 128 letters, digits, _ or -' },
  OriginSecretPrevious: { fits: isHeaderSecret, must: 'be 24 to 128 letters, digits, _ or -' },
} as const
export type SecretName = keyof typeof known

function isHeaderSecret(value: string): boolean {
  return /^[A-Za-z0-9_-]{24,128}$/.test(value)
}

/** Wraps an SST secret as an output for resources. */
export type OpenSecret = (name: SecretName) => Output<string>

/**
 * The names of the secrets that are set for the stage, validated without accessing AWS. SST passes them as
 * SST_SECRET_NAME. Throws WrongSetting that names missing or invalid secrets, never their values.
 */
export function readSecretNames(settings: Settings, environment: Environment): Set<SecretName> {
  const given = new Set<SecretName>()
  const wrong: string[] = []
  for (const [name, { fits, must }] of Object.entries(known) as [SecretName, (typeof known)[SecretName]][]) {
    const value = environment[`SST_SECRET_${name}`]
    if (value === undefined || value === '') continue
    given.add(name)
    if (!fits(value)) wrong.push(`the secret ${name} must ${must}`)
  }
  if (settings.store === 'uri' && !given.has('StoreUrl'))
    wrong.push(
      `the secret StoreUrl is missing: VERITAS_STORE=uri needs the address of the database. Set it with npx sst secret set StoreUrl 'mongodb+srv://…' --stage ${settings.stage}`,
    )
  if (settings.store !== 'uri' && given.has('StoreUrl'))
    wrong.push(
      `the secret StoreUrl is of no use with VERITAS_STORE=${settings.store}. Set VERITAS_STORE=uri, or npx sst secret remove StoreUrl --stage ${settings.stage}`,
    )
  if (wrong.length > 0) throw new WrongSetting(`Nothing was deployed: ${wrong.join('; ')}.`)
  return given
}

/** Database ports to allow for outbound traffic: those in the address, or else the three that Atlas uses. */
export function storePorts(environment: Environment): { from: number; to: number } {
  const hosts = /^mongodb:\/\/(?:[^@/]*@)?([^/?]+)/.exec(environment.SST_SECRET_StoreUrl ?? '')?.[1]
  const ports = (hosts?.split(',') ?? []).map((host) => Number(/:(\d+)$/.exec(host)?.[1] ?? 27_017))
  return ports.length === 0 ? { from: 27_015, to: 27_017 } : { from: Math.min(...ports), to: Math.max(...ports) }
}

/** The secret in the header that identifies CloudFront to nginx: SST's, or one that is generated once and kept. */
export function originSecret(given: ReadonlySet<SecretName>, open: OpenSecret): Output<string> {
  if (given.has('OriginSecret')) return open('OriginSecret')
  return secret(new RandomPassword('OriginSecret', { length: 48, special: false }).result)
}

export interface Parameters {
  /** Path prefix of the parameters, with a trailing slash. */
  prefix: string
  /** Changes when any parameter changes; reveals nothing about the values. */
  revision: Output<string>
  /** Secret parameters that must exist before the instance is set up. */
  secrets: ssm.Parameter[]
}

/**
 * Creates the parameters that the instance reads, one per setting: secrets as SecureString, others as String. Secret
 * values never appear in user data, command lines or logs.
 */
export function createParameters(
  stack: Stack,
  secrets: Record<string, Input<string> | undefined>,
  plain: Record<string, Input<string> | undefined>,
): Parameters {
  const prefix = `/veritas/${stack.stage}/`
  const made = (type: 'SecureString' | 'String', values: Record<string, Input<string> | undefined>) =>
    Object.entries(values).flatMap(([name, value]) => {
      if (value === undefined) return []
      // Values that are not secret are shown in the deployment's diff.
      const content = type === 'SecureString' ? { value: secret(value) } : { insecureValue: value }
      return [new ssm.Parameter(`Parameter_${name}`, { name: `${prefix}${name}`, type, ...content })]
    })
  const secureStrings = made('SecureString', secrets)
  const everyOne = [...secureStrings, ...made('String', plain)]
  const revision = all(everyOne.map((one) => one.version)).apply((versions) => versions.join('.'))
  return { prefix, revision, secrets: secureStrings }
}
