import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ViteDevServer } from 'vite'
import type { Accounts, SetupCode } from './accounts/accounts.ts'
import { createAccounts } from './accounts/create.ts'
import { firstKeptMonth, monthOf, monthStart } from './analysis/months.ts'
import { createSessionCookie, sessionSecret } from './auth.ts'
import type { Config } from './config.ts'
import { createContextFactory } from './context.ts'
import { answersInTime, createHealth } from './doors/health.ts'
import { doorsOfOtherRole, eventsElsewhere } from './doors/roles.ts'
import { type QuestionDoors, whenLoaded } from './doors/when-loaded.ts'
import { AppError } from './errors.ts'
import type { Destination } from './export/destination.ts'
import { createExportJob } from './export/job.ts'
import { openDestination } from './export/open.ts'
import { createHttpServer } from './http.ts'
import { createAdmission } from './ingest/admission.ts'
import { createKeys } from './ingest/keys.ts'
import { createIngestRoute } from './ingest/route.ts'
import { openDiskWal } from './ingest/wal/disk.ts'
import { diskFiles } from './ingest/wal/files.ts'
import { createMemoryWal } from './ingest/wal/memory.ts'
import { createReadingWal } from './ingest/wal/reading.ts'
import type { Wal } from './ingest/wal/wal.ts'
import { withRest } from './ingest/wal/with-rest.ts'
import { createAuditJob } from './jobs/audit.ts'
import { systemClock } from './jobs/clock.ts'
import type { Job } from './jobs/job.ts'
import { createRetentionJob } from './jobs/retention.ts'
import { createScheduler } from './jobs/scheduler.ts'
import { measureCommand, observeStore } from './metrics/observed-store.ts'
import { createRoutes } from './metrics/routes.ts'
import { tellFigures } from './metrics/tell-figures.ts'
import { prepare } from './preparation.ts'
import { createSetupCode } from './setup-code.ts'
import { assertMoved } from './store/move/mark.ts'
import { openStore } from './store/open.ts'
import type { EventWriting, Store } from './store/store.ts'
import { createSystem } from './system.ts'
import { createTelemetry, type Telemetry } from './telemetry.ts'
import { createDeadLetters } from './writer/dead-letters.ts'
import { createWriter } from './writer/writer.ts'

/** The one site there is until keys tell several apart. */
const defaultSiteId = 'default'

export interface Veritas {
  store: Store
  accounts: Accounts
  /** What the first sign-up needs to know; null where it needs nothing. */
  setupCode: SetupCode | null
  telemetry: Telemetry
  /** Starts to take events at once, and resolves to the address when it answers everything else too. */
  listen(): Promise<{ url: string; port: number }>
  /** Stops taking requests, stores everything accepted, closes the store. True when nothing was left waiting. */
  close(): Promise<boolean>
}

/** Puts the server together from its settings: telemetry, store, log, writer, doors. Nothing listens yet. */
export async function createVeritas(config: Config, options: { vite?: ViteDevServer } = {}): Promise<Veritas> {
  prepareDataDir(config.dataDir)
  const now = Date.now
  const telemetry = createTelemetry({ logLevel: config.logLevel })
  // Loaded while the store is opened, which other threads do.
  if (config.role !== 'ingest') import('./doors/questions.ts').catch(() => {})
  const secret = await sessionSecret(config.sessionSecret, config.dataDir)
  const store = observeStore(await openStore(config, measureCommand(telemetry.measures)), telemetry.measures)
  const preparation = await prepare(() => prepareSite(store, config), {
    log: telemetry.log,
    fail(error) {
      telemetry.log.fatal({ err: error }, 'the store cannot be used with these settings')
      process.exit(1)
    },
  }).catch(async (error: unknown) => {
    await store.close()
    throw error
  })
  const wal = await openWal(config, telemetry)
  const deadLetters = createDeadLetters({ dir: join(config.dataDir, 'dead-letters') })
  const { insertFrames } = store
  const batches: EventWriting = {
    // Without its site an event would be refused.
    async insertBatch(batch) {
      preparation.assertDone()
      return store.insertBatch(batch)
    },
    ...(insertFrames && {
      async insertFrames(batch) {
        preparation.assertDone()
        return insertFrames(batch)
      },
    }),
  }
  const writer = createWriter({ wal, store: batches, deadLetters, telemetry, settings: config.flush, now })
  const admission = await createAdmission({
    wal,
    limits: { ...config.wal, bufferEvents: config.ingest.bufferEvents },
    now,
    ...(wal.ackLevel !== 'memory' && config.role !== 'web' && { freeBytes: () => diskFiles.freeBytes(config.wal.dir) }),
  })
  const sessionCookie = createSessionCookie({ secret, secure: config.publicUrl?.startsWith('https:') ?? false })
  const setupCode = config.needsSetupCode ? createSetupCode(config.dataDir) : null
  const accounts = createAccounts({
    store: store.accounts,
    sites: store,
    siteId: defaultSiteId,
    cookie: (token, maxAgeMs) => sessionCookie.serialize(token, maxAgeMs),
    now,
    setupCode,
  })
  const { role } = config
  const processes = join(config.dataDir, 'processes')
  const board = tellFigures({ dir: processes, telemetry, wal, admission, role, version, now })
  const system = createSystem({
    wal,
    telemetry,
    deadLetters,
    version,
    board,
    store,
    storeAnswers: () => answersInTime(store),
    walLimitBytes: config.wal.maxBytes,
    exportsAreSetUp: config.exports.url !== null,
    now,
  })
  const keys = createKeys({ store: store.keys, keyless: config.ingest.keyless, defaultSiteId, now })
  const { publicUrl, trustProxy } = config
  const createContext = createContextFactory({
    system,
    store,
    accounts,
    writer,
    sessionCookie,
    siteId: defaultSiteId,
    trustProxy,
    now,
  })
  const health = createHealth({
    store,
    wal,
    admission,
    telemetry,
    bufferEvents: config.ingest.bufferEvents,
    role: config.role,
    version,
    now,
  })
  const keptSince = (instant: number) => monthStart(firstKeptMonth(instant, config.retentionMonths) ?? monthOf(0))
  const ingest =
    config.role === 'web'
      ? eventsElsewhere
      : createIngestRoute({ wal, admission, telemetry, settings: { ...config.ingest, keptSince }, keys, now })

  // Loaded once this server listens: after a restart events are taken before the first page could be shown.
  let questions: Promise<QuestionDoors> | null = null
  let routeOf = createRoutes({ pages: [], rest: [], procedures: [] })
  async function loadQuestions(): Promise<QuestionDoors> {
    const { createQuestionDoors, questionRoutes } = await import('./doors/questions.ts')
    routeOf = await questionRoutes({ appBuildDir, vite: options.vite })
    return createQuestionDoors({
      createContext,
      accounts,
      telemetry,
      version,
      publicUrl,
      trustProxy,
      appBuildDir,
      vite: options.vite,
    })
  }
  function questionsOnce(): Promise<QuestionDoors> {
    questions ??= loadQuestions()
    return questions
  }
  const questionDoors = config.role === 'ingest' ? doorsOfOtherRole : whenLoaded(questionsOnce)
  const http = createHttpServer(
    { ingest, health, ...questionDoors },
    { publicUrl, telemetry, routeOf: (path) => routeOf(path) },
  )

  const exports = await openExports(config)
  const nightly = { store, siteId: defaultSiteId }
  const jobs: Job[] = []
  if (config.retentionMonths > 0)
    jobs.push(
      createRetentionJob({ ...nightly, months: config.retentionMonths, clock: systemClock, log: telemetry.log }),
    )
  if (config.auditDays > 0) jobs.push(createAuditJob({ ...nightly, days: config.auditDays, telemetry }))
  if (exports)
    jobs.push(
      createExportJob({
        store,
        destination: exports,
        freshness: writer.freshness,
        siteId: defaultSiteId,
        ...config.exports,
        clock: systemClock,
        log: telemetry.log,
      }),
    )
  async function startExport() {
    const { startTelemetryExport } = await import('./metrics/start.ts')
    return startTelemetryExport(
      { metrics: config.metrics, traceShare: config.traceShare, stage: config.stage, role: config.role, version },
      {
        telemetry,
        wal,
        admission,
        deadLetters,
        limits: { bufferEvents: config.ingest.bufferEvents, walBytes: config.wal.maxBytes },
        storeAnswers: () => answersInTime(store),
        now,
      },
    )
  }
  let exporting: ReturnType<typeof startExport> | null = null

  const scheduler = createScheduler({ jobs, store, telemetry })

  return {
    store,
    accounts,
    setupCode,
    telemetry,
    async listen() {
      if (config.role !== 'ingest') scheduler.start()
      const port = await http.listen(config.port, config.host)
      exporting = startExport()
      if (config.role !== 'ingest') await questionsOnce()
      await exporting
      const host = config.host.includes(':') ? `[${config.host}]` : config.host
      return { url: `http://${host}:${port}`, port }
    },
    async close() {
      const deadline = now() + config.shutdownTimeoutMs
      preparation.close()
      const jobsEnded = scheduler.close()
      await http.close(config.shutdownTimeoutMs / 2)
      admission.drain()
      admission.close()
      const stored = await writer.drain(Math.max(0, deadline - now()))
      await writer.close()
      await wal.close()
      await jobsEnded
      await exporting?.then((exported) => exported.close())
      await board.close()
      exports?.close()
      await store.close()
      return stored
    },
  }
}

/** In the bundle this file is build/server/index.js, in source server/compose.ts: both one folder below the root or two. */
const here = dirname(fileURLToPath(import.meta.url))
const root = here.endsWith(join('build', 'server')) ? join(here, '..', '..') : join(here, '..')
const appBuildDir = join(root, 'build', 'app')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }

function prepareDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    accessSync(dataDir, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new AppError(
      'unavailable',
      `DATA_DIR ${dataDir} cannot be written (${(error as NodeJS.ErrnoException).code}). Choose a folder this user may write to.`,
      {
        cause: error,
      },
    )
  }
}

/** The log between door and store; what goes wrong with it is told at once, and ends the process when nothing can be promised. */
async function openWal({ ingest, wal, role }: Config, { log, measures }: Telemetry): Promise<Wal> {
  if (role === 'web') return createReadingWal(wal.dir, ingest.ackLevel)
  const openDisk = (ackLevel: 'fsync' | 'write') =>
    openDiskWal({
      ...wal,
      ackLevel,
      onCommit({ events, tookMs }) {
        measures.commitSize.add(events)
        measures.commitDuration.add(tookMs / 1000)
      },
      report(problem) {
        if (problem.kind === 'damaged')
          log.error(problem, 'the log is damaged: these frames are lost, their segment is kept aside')
        else if (problem.kind === 'torn')
          log.warn(problem, 'the log ends in the middle of a commit that nobody was told of')
        else if (problem.kind === 'failed') log.error({ err: problem.error }, 'the log cannot be written')
        else log.fatal(problem, 'the log of this process was removed or taken over by another')
        if (problem.kind === 'lost' || (problem.kind === 'failed' && problem.fatal)) process.exit(1)
      },
    })
  if (ingest.ackLevel !== 'memory') return openDisk(ingest.ackLevel)
  // What was promised under another ack level may still be there.
  return existsSync(wal.dir) ? withRest(createMemoryWal(), await openDisk('fsync')) : createMemoryWal()
}

/** Where closed days are exported to; null for nowhere. */
async function openExports({ exports, s3, role }: Config): Promise<Destination | null> {
  return exports.url === null || role === 'ingest' ? null : openDestination(exports.url, s3)
}

/** The default site as the settings want it; a zone that would change counted days stops the start. */
async function prepareSite(store: Store, { site, demo }: Config): Promise<void> {
  await assertMoved(store)
  const existing = await store.site(defaultSiteId)
  const wanted = {
    id: defaultSiteId,
    name: site.name ?? existing?.name ?? (demo ? 'Nordlicht Outdoor' : 'My shop'),
    timeZone: site.timeZone ?? existing?.timeZone ?? (demo ? 'Europe/Berlin' : 'UTC'),
    currency: site.currency ?? existing?.currency ?? 'EUR',
  }
  if (existing?.timeZone === wanted.timeZone && existing.name === wanted.name && existing.currency === wanted.currency)
    return
  try {
    await store.saveSite(wanted)
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'conflict')) throw error
    throw new AppError(
      'conflict',
      `SITE_TIME_ZONE ${wanted.timeZone}: the days of this store are counted in ${existing?.timeZone}, which cannot change any more.`,
      { cause: error },
    )
  }
}
