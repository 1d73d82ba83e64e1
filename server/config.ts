import { join, resolve } from 'node:path'
import { z } from 'zod'
import { isCurrency } from '../trpc/schema/currencies.ts'
import { isZone } from './analysis/zones.ts'
import { AppError } from './errors.ts'
import { mistypedSettings } from './start/mistyped-settings.ts'

const flag = z.enum(['true', 'false']).transform((value) => value === 'true')
/** In plain digits, and not in what Number() takes besides: 1e3, 0x10, blanks. */
const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d{1,15}$/, 'a whole number in plain digits')
    .transform(Number)
    .pipe(z.number().min(min).max(max))

/** As sent, inflated and one beside it, in the three quarters that large ones may have. */
const LARGEST_IN_MEMORY = 4
/** Longer than the idle time of the proxies in front, or they would reuse a connection that is just closing. */
const IDLE_BEHIND_PROXY_MS = 65_000
const IDLE_MS = 20_000

/** Every setting with its default; .env.example describes each. */
const settings = z.object({
  STAGE: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, 'small letters, digits and dashes')
    .default('local'),
  ROLE: z.enum(['all', 'ingest', 'web']).default('all'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: whole(0, 65535).default(3000),
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  DATA_DIR: z.string().min(1).default('./data'),
  STORE_URL: z
    .string()
    .regex(/^(sqlite:.+|mongodb(\+srv)?:\/\/.+)/, 'sqlite:PATH, mongodb://… or mongodb+srv://…')
    .optional(),
  STORE_READERS: whole(1, 16).default(2),
  SQLITE_CACHE_BYTES: whole(1024 * 1024, 64 * 1024 ** 3).default(32 * 1024 * 1024),
  SQLITE_LOG_MAX_BYTES: whole(256 * 1024 * 1024, 1024 ** 4).default(2 * 1024 * 1024 * 1024),
  DEMO: flag.optional(),
  SITE_NAME: z.string().min(1).max(100).optional(),
  SITE_TIME_ZONE: z.string().refine(isZone, 'an IANA time zone such as Europe/Berlin').optional(),
  SITE_CURRENCY: z.string().refine(isCurrency, 'an ISO 4217 code such as EUR').optional(),
  SESSION_SECRET: z.string().min(32, 'at least 32 characters').optional(),
  TRUST_PROXY: flag.default(false),
  TRUSTED_PROXIES: whole(1, 10).default(1),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  INGEST_KEYLESS: z.enum(['allow', 'refuse']).optional(),
  INGEST_SCHEMA_MODE: z.enum(['warn', 'reject']).default('warn'),
  INGEST_MAX_BODY_BYTES: whole(1024, 64 * 1024 * 1024).default(4 * 1024 * 1024),
  INGEST_MAX_BROWSER_BODY_BYTES: whole(1024, 64 * 1024 * 1024).default(1024 * 1024),
  INGEST_KEY_IN_BODY_BYTES: whole(256, 64 * 1024).default(8192),
  INGEST_MAX_EVENTS: whole(1, 4096).default(2500),
  INGEST_MAX_VALUES: whole(1000, 10_000_000).default(250_000),
  INGEST_ANSWER_BYTES: whole(64 * 1024, 64 * 1024 * 1024).default(512 * 1024),
  INGEST_PARSES: whole(1, 64).default(1),
  INGEST_SLICE_MS: whole(1, 1000).default(2),
  INGEST_REFUSALS_PER_SECOND: whole(1, 1_000_000).default(300),
  INGEST_ACK: z.enum(['fsync', 'write', 'memory']).default('fsync'),
  INGEST_BODY_TIMEOUT_MS: whole(100, 300_000).default(10_000),
  INGEST_MIN_BYTES_PER_SECOND: whole(1, 1024 * 1024).default(1024),
  INGEST_BUFFER_EVENTS: whole(1, 10_000_000).default(10_000),
  INGEST_MEMORY_BYTES: whole(1024 * 1024, 1024 ** 4).optional(),
  WAL_DIR: z.string().min(1).optional(),
  WAL_SEGMENT_BYTES: whole(64 * 1024, 1024 * 1024 * 1024).default(16 * 1024 * 1024),
  WAL_SWITCH_BYTES: whole(64 * 1024, 1024 ** 4).default(64 * 1024 * 1024),
  WAL_MAX_BYTES: whole(1024 * 1024, 1024 ** 4).default(2 * 1024 * 1024 * 1024),
  WAL_MAX_AGE_HOURS: whole(1, 24 * 365).default(24),
  FLUSH_EVENTS: whole(1, 10_000).default(2000),
  FLUSH_INTERVAL_MS: whole(1, 60_000).default(200),
  FLUSH_CONCURRENCY: whole(1, 16).default(3),
  DEAD_LETTERS_ALARM_BYTES: whole(0, 1024 ** 4).default(256 * 1024 * 1024),
  MAX_CONNECTIONS: whole(16, 1_000_000).default(2000),
  MAX_PIPELINED: whole(1, 10_000).default(100),
  HEADERS_TIMEOUT_MS: whole(100, 300_000).default(10_000),
  IDLE_TIMEOUT_MS: whole(100, 3_600_000).optional(),
  ANSWER_BYTES: whole(64 * 1024, 256 * 1024 * 1024).default(4 * 1024 * 1024),
  SHUTDOWN_TIMEOUT_MS: whole(100, 600_000).default(10_000),
  RETENTION_MONTHS: whole(0, 1200).default(0),
  AUDIT_DAYS: whole(0, 366).default(7),
  EXPORT_URL: z
    .string()
    .regex(/^(s3:\/\/[a-z0-9][a-z0-9.-]+(\/[^?#]*)?|file:.+)$/, 's3://BUCKET/PREFIX or file:/PATH')
    .optional(),
  EXPORT_AT: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day (UTC) such as 10:00')
    .default('10:00'),
  EXPORT_LATE_DAYS: whole(0, 60).default(2),
  S3_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  S3_REGION: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'a region such as eu-central-1')
    .optional(),
  S3_PATH_STYLE: flag.optional(),
  METRICS_EXPORTER: z.enum(['prometheus', 'otlp', 'none']).default('prometheus'),
  METRICS_PORT: z.union([z.literal('off'), whole(0, 65535)], { error: 'a port from 0 to 65535, or off' }).default(9464),
  METRICS_SET: z.enum(['all', 'essential']).default('all'),
  METRICS_INTERVAL_MS: whole(1000, 3_600_000).default(60_000),
  OTLP_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:4318'),
  TRACE_SHARE: z
    .string()
    .regex(/^\d{1,15}(\.\d{1,15})?$/, 'a share from 0 to 1 such as 0.05')
    .transform(Number)
    .pipe(z.number().min(0).max(1))
    .default(0),
})

/** The server's settings, frozen. Durations in milliseconds, sizes in bytes. */
export type Config = ReturnType<typeof readConfig>

/** The names of all settings. */
export const settingNames: readonly string[] = Object.keys(settings.shape)

/** Reads the environment. Throws an AppError that names every wrong setting and what it takes. */
export function readConfig(environment: Record<string, string | undefined>, args: readonly string[] = []) {
  const unknown = args.filter((arg) => arg !== '--no-demo' && arg !== '--demo')
  if (unknown.length > 0)
    throw new AppError(
      'invalid_input',
      `Unknown option ${unknown[0]}. Options are --demo and --no-demo; settings are environment variables (.env.example).`,
    )
  const mistyped = mistypedSettings(environment, settingNames)
  if (mistyped.length > 0) {
    const told = mistyped.map(({ name, nearest }) => `${name}: there is no such setting; ${nearest} is one.`)
    throw new AppError('invalid_input', `Wrong setting. ${told.join(' ')}`)
  }
  // An empty variable is how shells and compose files say "not set".
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
  const parsed = settings.safeParse(given)
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new AppError('invalid_input', `Wrong setting. ${wrong.join('; ')}`)
  }
  const s = parsed.data
  if (s.INGEST_BUFFER_EVENTS < s.INGEST_MAX_EVENTS)
    throw new AppError(
      'invalid_input',
      `Wrong setting. INGEST_BUFFER_EVENTS: ${s.INGEST_BUFFER_EVENTS} is less than INGEST_MAX_EVENTS (${s.INGEST_MAX_EVENTS}), so a full request could never be taken.`,
    )
  if (s.INGEST_MAX_BODY_BYTES > s.WAL_SEGMENT_BYTES / 2)
    throw new AppError(
      'invalid_input',
      `Wrong setting. WAL_SEGMENT_BYTES: a segment of ${s.WAL_SEGMENT_BYTES} bytes must hold two requests of INGEST_MAX_BODY_BYTES (${s.INGEST_MAX_BODY_BYTES}).`,
    )
  if (s.INGEST_MEMORY_BYTES !== undefined && s.INGEST_MEMORY_BYTES < LARGEST_IN_MEMORY * s.INGEST_MAX_BODY_BYTES)
    throw new AppError(
      'invalid_input',
      `Wrong setting. INGEST_MEMORY_BYTES: ${s.INGEST_MEMORY_BYTES} bytes must hold ${LARGEST_IN_MEMORY} requests of INGEST_MAX_BODY_BYTES (${s.INGEST_MAX_BODY_BYTES}).`,
    )
  if (s.ROLE !== 'all' && s.INGEST_ACK === 'memory')
    throw new AppError(
      'invalid_input',
      `Wrong setting. INGEST_ACK: with ROLE=${s.ROLE} other processes must see what waits, so it has to be in a log on disk.`,
    )
  const local = s.STAGE === 'local'
  const demo = args.includes('--no-demo') ? false : args.includes('--demo') ? true : (s.DEMO ?? local)
  if (demo && !local)
    throw new AppError(
      'invalid_input',
      `Wrong setting. DEMO: a demo store (known password) runs only with STAGE=local, not STAGE=${s.STAGE}.`,
    )
  const dataDir = resolve(s.DATA_DIR)
  return Object.freeze({
    stage: s.STAGE,
    role: s.ROLE,
    host: s.HOST,
    /** Whether somebody else than whoever started it may reach this server before it has an owner. */
    needsSetupCode: !local || !isLoopback(s.HOST),
    port: s.PORT,
    publicUrl: s.PUBLIC_URL,
    dataDir,
    /** The address of MongoDB, which may hold a password; null for SQLite, whose file is at storePath. */
    mongoUrl: s.STORE_URL?.startsWith('mongodb') ? s.STORE_URL : null,
    storePath: s.STORE_URL?.startsWith('sqlite:')
      ? resolve(s.STORE_URL.slice('sqlite:'.length))
      : resolve(dataDir, 'veritas.db'),
    storeReaders: s.STORE_READERS,
    sqliteCacheBytes: s.SQLITE_CACHE_BYTES,
    sqliteLogMaxBytes: s.SQLITE_LOG_MAX_BYTES,
    demo,
    site: { name: s.SITE_NAME, timeZone: s.SITE_TIME_ZONE, currency: s.SITE_CURRENCY },
    sessionSecret: s.SESSION_SECRET,
    trustProxy: s.TRUST_PROXY,
    /** Proxies in front, each of which adds to X-Forwarded-For; 0 for none that is trusted. */
    trustedProxies: s.TRUST_PROXY ? s.TRUSTED_PROXIES : 0,
    logLevel: s.LOG_LEVEL,
    ingest: Object.freeze({
      keyless: s.INGEST_KEYLESS ?? (local ? 'allow' : 'refuse'),
      schemaMode: s.INGEST_SCHEMA_MODE,
      maxBodyBytes: s.INGEST_MAX_BODY_BYTES,
      maxBrowserBodyBytes: Math.min(s.INGEST_MAX_BROWSER_BODY_BYTES, s.INGEST_MAX_BODY_BYTES),
      keyInBodyBytes: s.INGEST_KEY_IN_BODY_BYTES,
      maxEvents: s.INGEST_MAX_EVENTS,
      maxValues: s.INGEST_MAX_VALUES,
      answerBytes: s.INGEST_ANSWER_BYTES,
      parses: s.INGEST_PARSES,
      sliceMs: s.INGEST_SLICE_MS,
      refusalsPerSecond: s.INGEST_REFUSALS_PER_SECOND,
      bodyTimeoutMs: s.INGEST_BODY_TIMEOUT_MS,
      minBytesPerSecond: s.INGEST_MIN_BYTES_PER_SECOND,
      ackLevel: s.INGEST_ACK,
      bufferEvents: s.INGEST_BUFFER_EVENTS,
      memoryBytes: s.INGEST_MEMORY_BYTES ?? Math.max(64 * 1024 * 1024, LARGEST_IN_MEMORY * s.INGEST_MAX_BODY_BYTES),
    }),
    connections: Object.freeze({
      max: s.MAX_CONNECTIONS,
      maxPipelined: s.MAX_PIPELINED,
      headersTimeoutMs: s.HEADERS_TIMEOUT_MS,
      idleTimeoutMs: s.IDLE_TIMEOUT_MS ?? (s.TRUST_PROXY ? IDLE_BEHIND_PROXY_MS : IDLE_MS),
    }),
    answerBytes: s.ANSWER_BYTES,
    wal: Object.freeze({
      dir: resolve(s.WAL_DIR ?? join(dataDir, 'wal')),
      segmentBytes: s.WAL_SEGMENT_BYTES,
      switchBytes: s.WAL_SWITCH_BYTES,
      maxBytes: s.WAL_MAX_BYTES,
      maxAgeMs: s.WAL_MAX_AGE_HOURS * 3_600_000,
    }),
    flush: Object.freeze({ events: s.FLUSH_EVENTS, intervalMs: s.FLUSH_INTERVAL_MS, concurrency: s.FLUSH_CONCURRENCY }),
    /** Of the disk; from here on /health and the System page say that somebody should look. */
    deadLettersAlarmBytes: s.DEAD_LETTERS_ALARM_BYTES,
    shutdownTimeoutMs: s.SHUTDOWN_TIMEOUT_MS,
    /** Whole months of events to keep beside the one that runs; 0 for all. */
    retentionMonths: s.RETENTION_MONTHS,
    auditDays: s.AUDIT_DAYS,
    exports: Object.freeze({
      /** null for none. */
      url: s.EXPORT_URL ?? null,
      /** After midnight UTC. */
      dueUtcMinutes: Number(s.EXPORT_AT.slice(0, 2)) * 60 + Number(s.EXPORT_AT.slice(3)),
      lateDays: s.EXPORT_LATE_DAYS,
    }),
    s3: Object.freeze({
      endpoint: s.S3_ENDPOINT ?? null,
      region: s.S3_REGION ?? environment.AWS_REGION ?? 'us-east-1',
      pathStyle: s.S3_PATH_STYLE ?? s.S3_ENDPOINT !== undefined,
    }),
    metrics: Object.freeze({
      exporter: s.METRICS_EXPORTER,
      port: metricsPort(s.METRICS_PORT, s.ROLE, environment.NODE_APP_INSTANCE),
      set: s.METRICS_SET,
      intervalMs: s.METRICS_INTERVAL_MS,
      otlpUrl: s.OTLP_URL,
    }),
    traceShare: s.TRACE_SHARE,
  })
}

/**
 * Each process has its metrics on a port of its own: PM2 numbers those of an application, and with ROLE=web there is
 * one with ROLE=ingest before them. null for none.
 */
function metricsPort(port: number | 'off', role: 'all' | 'ingest' | 'web', instance: string | undefined) {
  if (port === 'off') return null
  return port === 0 ? 0 : Math.min(65535, port + (role === 'web' ? 1 : 0) + (Number(instance) || 0))
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
