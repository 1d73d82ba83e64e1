import { z } from 'zod'
import { WrongSetting } from './wrong-setting.ts'

/** Values from the environment, .env and .env.STAGE. Names that start with VERITAS_ are settings of the stack. */
export type Environment = Record<string, string | undefined>

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

/** Retention periods that CloudWatch Logs supports, in days. */
const logDays = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] as const

const DEFAULT_INSTANCE_TYPE = 't3.micro'

/** All settings with their defaults; infra/example.env describes them. */
const fields = z.object({
  VERITAS_REGION: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a region such as eu-central-1')
    .optional(),
  VERITAS_DOMAIN: z
    .string()
    .regex(
      /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
      'a host name such as events.example.com',
    )
    .optional(),
  VERITAS_HOSTED_ZONE_ID: z
    .string()
    .regex(/^Z[A-Z0-9]{5,31}$/, 'the id of a hosted zone of Route 53, such as Z0123456789ABC')
    .optional(),
  VERITAS_CERTIFICATE_ARN: z
    .string()
    .regex(
      /^arn:aws:acm:us-east-1:\d{12}:certificate\/[0-9a-f-]{36}$/,
      'the ARN of a certificate in us-east-1, where CloudFront looks for it',
    )
    .optional(),
  VERITAS_PRICE_CLASS: z.enum(['100', '200', 'all']).default('100'),
  VERITAS_STORE: z.enum(['embedded', 'self-hosted', 'uri']).default('embedded'),
  VERITAS_INSTANCE_TYPE: z
    .string()
    .regex(/^[a-z]+\d+[a-z-]*\.[a-z0-9-]+$/, 'an instance type such as t3.micro')
    .default(DEFAULT_INSTANCE_TYPE),
  VERITAS_INSTANCE_NUMBER: whole(1, 999).default(1),
  VERITAS_ZONE: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 'a zone of the region such as eu-central-1b')
    .optional(),
  VERITAS_DATA_SNAPSHOT: z
    .string()
    .regex(/^snap-[0-9a-f]{8,17}$/, 'the id of a snapshot of the data volume, such as snap-0123456789abcdef0')
    .optional(),
  VERITAS_DATA_VOLUME_GIB: whole(8, 16_384).default(20),
  VERITAS_ROLES: z.enum(['all', 'split']).default('all'),
  VERITAS_INSTANCES: whole(1, 99).default(1),
  VERITAS_WEB_PORT: whole(1024, 65_535).default(3001),
  VERITAS_MAX_MEMORY: z
    .string()
    .regex(/^[1-9]\d*[MG]$/, 'a size such as 700M')
    .default('700M'),
  VERITAS_SITE_NAME: z.string().min(1).max(100).optional(),
  VERITAS_SITE_TIME_ZONE: z.string().refine(isZone, 'an IANA time zone such as Europe/Berlin').optional(),
  VERITAS_SITE_CURRENCY: z
    .string()
    .regex(/^[A-Z]{3}$/, 'an ISO 4217 code such as EUR')
    .optional(),
  VERITAS_ALARM_EMAIL: z.email('an email address').optional(),
  VERITAS_LOG_DAYS: z.coerce
    .number()
    .refine((days) => logDays.some((known) => known === days), `one of ${logDays.join(', ')}`)
    .default(30),
  VERITAS_SNAPSHOTS: whole(1, 365).default(7),
  VERITAS_BACKUP_DAYS: whole(1, 3650).default(30),
  VERITAS_PROTECTED: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional(),
  VERITAS_GITHUB_REPOSITORY: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,39}\/[A-Za-z0-9._-]{1,100}$/, 'OWNER/NAME of a repository on GitHub')
    .optional(),
  VERITAS_GITHUB_PROVIDER: z.enum(['create', 'existing']).default('create'),
  VERITAS_ARTIFACT: z.string().min(1).optional(),
  VERITAS_ARTIFACT_SHA256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal digits')
    .optional(),
  VERITAS_VERSION: z
    .string()
    .regex(/^[0-9A-Za-z][0-9A-Za-z.+_-]{0,127}$/, 'the version that npm run package printed')
    .optional(),
})

/** Names of all settings, for infra/example.env. */
export const settingNames: readonly string[] = Object.keys(fields.shape)

/** The frozen settings of one stage. */
export type Settings = ReturnType<typeof readSettings>

/**
 * Settings that SST needs in app(), before invalid ones can be reported: SST does not show errors from app(), so this
 * never throws. With an unknown region SST's first call to AWS fails.
 */
export function readGuards(stage: string | undefined, environment: Environment) {
  return {
    isProtected: stage === 'production' || environment.VERITAS_PROTECTED === 'true',
    region: environment.VERITAS_REGION || undefined,
  }
}

/**
 * Validates the stage and its settings without accessing AWS. Throws WrongSetting that lists everything invalid or
 * missing at once.
 */
export function readSettings(stage: string | undefined, environment: Environment) {
  const wrong: string[] = []
  if (stage === undefined || !/^[a-z][a-z0-9-]{0,31}$/.test(stage) || stage.endsWith('-'))
    wrong.push(
      `stage: "${stage ?? ''}" must be up to 32 small letters, digits and dashes, beginning with a letter. Name it: --stage production`,
    )
  // A server with stage "local" may contain the demo shop, whose login is public.
  if (stage === 'local') wrong.push('stage: "local" is this machine\'s own. Give the stage another name.')
  const given = Object.entries(environment).filter(
    ([name, value]) => name.startsWith('VERITAS_') && value !== undefined && value !== '',
  )
  for (const [name] of given) if (!settingNames.includes(name)) wrong.push(`${name}: there is no such setting`)
  const parsed = fields.safeParse(Object.fromEntries(given))
  if (!parsed.success) {
    wrong.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`))
    throw failure(wrong)
  }
  const s = parsed.data
  const isProduction = stage === 'production'
  const { isProtected } = readGuards(stage, environment)
  if (s.VERITAS_DOMAIN && !s.VERITAS_HOSTED_ZONE_ID && !s.VERITAS_CERTIFICATE_ARN)
    wrong.push(
      `VERITAS_HOSTED_ZONE_ID: is missing. ${s.VERITAS_DOMAIN} needs the zone in Route 53 where its certificate can be proved, or a certificate in VERITAS_CERTIFICATE_ARN`,
    )
  if (!s.VERITAS_DOMAIN && (s.VERITAS_HOSTED_ZONE_ID || s.VERITAS_CERTIFICATE_ARN))
    wrong.push('VERITAS_DOMAIN: is missing. A zone or a certificate is of use only to a host name')
  if (isProduction && !s.VERITAS_ALARM_EMAIL)
    wrong.push('VERITAS_ALARM_EMAIL: is missing. Somebody must hear when production needs help')
  if (isProduction && s.VERITAS_PROTECTED === false)
    wrong.push('VERITAS_PROTECTED: production is always protected. Give a stage to be removed another name')
  // The instance would refuse the same port, but only after it has been created.
  const taken = s.VERITAS_ROLES === 'split' && takenPorts[s.VERITAS_WEB_PORT]
  if (taken) wrong.push(`VERITAS_WEB_PORT: ${s.VERITAS_WEB_PORT} is the port of ${taken}. Leave it at 3001`)
  if (inMib(s.VERITAS_MAX_MEMORY) < MIN_MEMORY_MIB)
    wrong.push(
      `VERITAS_MAX_MEMORY: a process needs more than ${s.VERITAS_MAX_MEMORY} and would be started again without end. Take ${MIN_MEMORY_MIB}M or more`,
    )
  if (/^(cn|us-gov|us-iso)/.test(s.VERITAS_REGION ?? ''))
    wrong.push(
      `VERITAS_REGION: ${s.VERITAS_REGION} is in a part of AWS of its own, without the CloudFront that this needs`,
    )
  if (/\.nano$/.test(s.VERITAS_INSTANCE_TYPE))
    wrong.push(
      `VERITAS_INSTANCE_TYPE: ${s.VERITAS_INSTANCE_TYPE} has too little memory for a release beside the one that serves. Take t3.micro or larger`,
    )
  const family = s.VERITAS_INSTANCE_TYPE.split('.')[0]!
  if (!isNitro(family))
    wrong.push(
      `VERITAS_INSTANCE_TYPE: ${s.VERITAS_INSTANCE_TYPE} shows the data volume under no name of its own (only types on Nitro do), or does not run Linux by the hour. Take one such as t3.micro, t4g.small or m7g.large`,
    )
  if (s.VERITAS_ZONE && s.VERITAS_REGION && !s.VERITAS_ZONE.startsWith(s.VERITAS_REGION))
    wrong.push(`VERITAS_ZONE: ${s.VERITAS_ZONE} is no zone of ${s.VERITAS_REGION}`)
  if (s.VERITAS_DATA_SNAPSHOT && !s.VERITAS_ZONE)
    wrong.push('VERITAS_ZONE: is missing. A data volume is made of a snapshot in a zone that is named')
  if (s.VERITAS_STORE === 'self-hosted' && /\.(nano|micro)$/.test(s.VERITAS_INSTANCE_TYPE))
    wrong.push(
      `VERITAS_INSTANCE_TYPE: ${s.VERITAS_INSTANCE_TYPE} has too little memory for MongoDB beside the server. Take t3.small or larger`,
    )
  const artifact = [s.VERITAS_ARTIFACT, s.VERITAS_ARTIFACT_SHA256, s.VERITAS_VERSION]
  if (artifact.some((part) => part !== undefined) && artifact.some((part) => part === undefined))
    wrong.push(
      'VERITAS_ARTIFACT, VERITAS_ARTIFACT_SHA256 and VERITAS_VERSION: npm run release sets all three, nobody else has to',
    )
  if (wrong.length > 0) throw failure(wrong)
  return Object.freeze({
    stage: stage!,
    /** Kept on `sst remove`; its data volume is protected from deletion. */
    isProtected,
    region: s.VERITAS_REGION,
    domain: s.VERITAS_DOMAIN,
    hostedZoneId: s.VERITAS_HOSTED_ZONE_ID,
    certificateArn: s.VERITAS_CERTIFICATE_ARN,
    /** Host name by which CloudFront reaches the instance over TLS; undefined without a zone to prove it in. */
    originName: s.VERITAS_DOMAIN && s.VERITAS_HOSTED_ZONE_ID ? `origin.${s.VERITAS_DOMAIN}` : undefined,
    priceClass: s.VERITAS_PRICE_CLASS === 'all' ? 'PriceClass_All' : `PriceClass_${s.VERITAS_PRICE_CLASS}`,
    store: s.VERITAS_STORE,
    instanceType: s.VERITAS_INSTANCE_TYPE,
    architecture: architectureOf(s.VERITAS_INSTANCE_TYPE),
    /** A different number creates a new instance. */
    instanceNumber: s.VERITAS_INSTANCE_NUMBER,
    /** Undefined for the region's first zone that has the instance type. */
    zone: s.VERITAS_ZONE,
    /** Snapshot to create a new data volume from; undefined for an empty volume. */
    dataSnapshot: s.VERITAS_DATA_SNAPSHOT,
    dataVolumeGib: s.VERITAS_DATA_VOLUME_GIB,
    roles: s.VERITAS_ROLES,
    instances: s.VERITAS_INSTANCES,
    webPort: s.VERITAS_WEB_PORT,
    maxMemory: s.VERITAS_MAX_MEMORY,
    site: { name: s.VERITAS_SITE_NAME, timeZone: s.VERITAS_SITE_TIME_ZONE, currency: s.VERITAS_SITE_CURRENCY },
    alarmEmail: s.VERITAS_ALARM_EMAIL,
    logDays: s.VERITAS_LOG_DAYS,
    snapshots: s.VERITAS_SNAPSHOTS,
    backupDays: s.VERITAS_BACKUP_DAYS,
    githubRepository: s.VERITAS_GITHUB_REPOSITORY,
    githubProvider: s.VERITAS_GITHUB_PROVIDER,
    /** A release built before; undefined to build one from this checkout. */
    artifact: s.VERITAS_ARTIFACT
      ? { path: s.VERITAS_ARTIFACT, sha256: s.VERITAS_ARTIFACT_SHA256!, version: s.VERITAS_VERSION! }
      : undefined,
  })
}

const failure = (wrong: string[]) =>
  new WrongSetting(`Nothing was deployed. ${wrong.join('; ')}. Settings are described in infra/example.env.`)

/** Ports that other services on the instance use (infra/box). */
const takenPorts: Record<number, string> = {
  3000: 'the process that takes events',
  3002: 'the trial of a release',
  4317: 'the CloudWatch agent',
  4318: 'the CloudWatch agent',
  27017: 'MongoDB',
}

/** An idle server needs about 150 MB. */
const MIN_MEMORY_MIB = 256

function inMib(size: string): number {
  return Number.parseInt(size, 10) * (size.endsWith('G') ? 1024 : 1)
}

/** CPU of a stage's server, in the terms of npm run package. */
export function cpuOf({ VERITAS_INSTANCE_TYPE }: Environment): 'x64' | 'arm64' {
  return architectureOf(VERITAS_INSTANCE_TYPE || DEFAULT_INSTANCE_TYPE) === 'arm64' ? 'arm64' : 'x64'
}

/**
 * Whether an instance family shows volumes under their ids, which install.sh needs: true from the Nitro generation on.
 * Also false for a1, whose ARM CPU is too old for the packages, and for Macs, which are rented by the day.
 */
function isNitro(family: string): boolean {
  return !/^(t[12]|m[1-4]|c[1-4]|r[34]|i[23]|d2|g[23]s?|p[23]|x1e?|f1|h1|hs1|cc\d|cr1|cg1|a1|mac\d*)(-.*)?$/.test(
    family,
  )
}

/** Amazon's ARM processors have a g after the generation number: t4g, m7gd. */
function architectureOf(instanceType: string): 'arm64' | 'x86_64' {
  return /^[a-z]+\d+[a-z]*g[a-z]*\./.test(instanceType) ? 'arm64' : 'x86_64'
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
