import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ViteDevServer } from 'vite'
import type { ListAbout } from '../trpc/init.ts'
import type { Accounts, SetupCode } from './accounts/accounts.ts'
import { createSessionCookie, sessionSecret } from './accounts/auth.ts'
import { createAccounts } from './accounts/create.ts'
import { createSetupCode } from './accounts/setup-code.ts'
import type { Config } from './config.ts'
import { createContextFactory } from './context.ts'
import { mostConnections } from './doors/connections.ts'
import { answersInTime, createHealth } from './doors/health.ts'
import { doorsOfOtherRole, eventsElsewhere } from './doors/roles.ts'
import { createSmallBodies } from './doors/small-bodies.ts'
import { createLaterDoors } from './doors/when-loaded.ts'
import { createHttpServer } from './http.ts'
import { createAdmission } from './ingest/admission.ts'
import { createBudget } from './ingest/budget.ts'
import { createKeptSince } from './ingest/kept-since.ts'
import { createKeys } from './ingest/keys.ts'
import { createLargeBodies } from './ingest/large-bodies.ts'
import { createRefusals } from './ingest/refusals.ts'
import { createIngestRoute } from './ingest/route.ts'
import { type Abandoned, watchAbandoned } from './ingest/wal/abandoned.ts'
import { diskFiles } from './ingest/wal/files.ts'
import { openWal } from './ingest/wal/open.ts'
import { openNightlyJobs } from './jobs/nightly.ts'
import { createSiteRules } from './jobs/site-rules.ts'
import { createZoneRules } from './jobs/zone-rules.ts'
import { openDataDir } from './start/data-dir.ts'
import { type Preparation, prepare } from './start/preparation.ts'
import { secretFile } from './start/secret-file.ts'
import { defaultSiteId, prepareSite } from './start/site.ts'
import { createChanges } from './store/changes.ts'
import { createFixedLists } from './store/fixed-lists.ts'
import { openStore } from './store/open.ts'
import type { EventWriting, Store } from './store/store.ts'
import { measureCommand, observeStore } from './telemetry/metrics/observed-store.ts'
import { tellFigures } from './telemetry/metrics/tell-figures.ts'
import { createSystem, troublesOf } from './telemetry/system.ts'
import { createTelemetry, type Telemetry } from './telemetry/telemetry.ts'
import { createConflicts } from './writer/conflicts.ts'
import { createDeadLetters } from './writer/dead-letters.ts'
import { createGivenUp } from './writer/given-up.ts'
import { createOtherLogs } from './writer/other-logs.ts'
import { createWriter } from './writer/writer.ts'

export interface Veritas {
  store: Store
  accounts: Accounts
  /** What the first sign-up needs to know; null where it needs nothing. */
  setupCode: SetupCode | null
  telemetry: Telemetry
  /** Does work that needs the store: now, or as soon as it is there. Rejects when it fails at once for another reason. */
  prepare(work: () => Promise<void>): Promise<void>
  /** Starts to take events at once, and resolves to the address when it answers everything else too. */
  listen(): Promise<{ url: string; port: number }>
  /** Begins the work of every night, and what is due of it: the last step of a start, after it was told of. */
  startNightly(): void
  /** Stops taking requests, stores everything accepted, closes the store. True when nothing was left waiting. */
  close(): Promise<boolean>
}

/** Puts the server together from its settings: telemetry, store, log, writer, doors. Nothing listens yet. */
export async function createVeritas(config: Config, options: { vite?: ViteDevServer } = {}): Promise<Veritas> {
  openDataDir(config.dataDir)
  const now = Date.now
  const telemetry = createTelemetry({ logLevel: config.logLevel })
  const secret = await sessionSecret(config.sessionSecret, config.dataDir)
  const opened = await openStore(config, measureCommand(telemetry.measures), (progress) =>
    telemetry.log.info(progress, 'the store is brought to the format of this version'),
  )
  const store = observeStore(opened, telemetry.measures)
  const preparations: Preparation[] = []
  async function prepared(work: () => Promise<void>): Promise<Preparation> {
    const preparation = await prepare(work, {
      log: telemetry.log,
      fail(error) {
        telemetry.log.fatal({ err: error }, 'the store cannot be used with these settings')
        process.exit(1)
      },
    })
    preparations.push(preparation)
    return preparation
  }
  const zoneRules = createSiteRules(store.sites, (siteId) => createZoneRules({ store, siteId, telemetry, now }))
  const site = await prepared(async () => {
    await prepareSite(store, config)
    await zoneRules.compare()
  }).catch(async (error: unknown) => {
    await store.close()
    throw error
  })
  const wal = await openWal({ ...config.wal, ackLevel: config.ingest.ackLevel, role: config.role }, telemetry)
  const deadLetters = createDeadLetters({
    dir: join(config.dataDir, 'dead-letters'),
    alarmBytes: config.deadLettersAlarmBytes,
  })
  const { insertFrames } = store
  const batches: EventWriting = {
    // Without its site an event would be refused.
    async insertBatch(batch) {
      site.assertDone()
      await zoneRules.assertOwn()
      return store.insertBatch(batch)
    },
    ...(insertFrames && {
      async insertFrames(batch) {
        site.assertDone()
        await zoneRules.assertOwn()
        return insertFrames(batch)
      },
    }),
  }
  const conflicts = createConflicts({
    dir: join(config.dataDir, 'conflicts'),
    onFailure: (error) => telemetry.log.error({ err: error }, 'events with an id of another could not be listed'),
  })
  const writer = createWriter({
    ...{ wal, conflicts, store: batches, deadLetters, telemetry, settings: config.flush, now },
    givenUp: createGivenUp(join(config.dataDir, 'given-up')),
  })
  // Processes that take events take over what others have left.
  const abandoned = config.role === 'web' ? watchAbandoned(config.wal.dir) : null
  const others = createOtherLogs({
    ...{ board: store.logs, wal, now, takesEvents: config.role !== 'web' },
    abandoned: () => abandoned?.events() ?? 0,
    folder: store.logs ? await secretFile(join(config.dataDir, 'log-name'), randomUUID) : '',
  })
  const freshness = () => others.withOthers(writer.freshness())
  const troubles = () => [...writer.troubles(), ...others.troubles(), ...troubleOf(abandoned)]
  const admission = await createAdmission({
    wal,
    limits: { ...config.wal, bufferEvents: config.ingest.bufferEvents, memoryBytes: config.ingest.memoryBytes },
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
  const board = tellFigures({ dir: processes, telemetry, wal, admission, role, version, now, doubted: writer.doubted })
  const system = createSystem({
    wal,
    telemetry,
    deadLetters,
    troubles,
    others,
    version,
    board,
    store,
    storeAnswers: () => answersInTime(store),
    walLimitBytes: config.wal.maxBytes,
    exportsAreSetUp: config.exports.url !== null,
    now,
  })
  const keys = createKeys({ store: store.keys, keyless: config.ingest.keyless, defaultSiteId })
  const { publicUrl, trustProxy, trustedProxies } = config
  const fixedLists = createFixedLists<ListAbout>(now)
  const changes = createChanges(store)
  const createContext = createContextFactory({
    system,
    fixedLists,
    store,
    accounts,
    freshness,
    changes,
    keyless: config.ingest.keyless,
    sessionCookie,
    siteId: defaultSiteId,
    trustedProxies,
    answerBytes: config.answerBytes,
    now,
  })
  const health = createHealth({
    store,
    wal,
    admission,
    telemetry,
    troubles: () => troublesOf({ troubles, deadLetters }),
    others,
    bufferEvents: config.ingest.bufferEvents,
    role: config.role,
    version,
    now,
  })
  const budget = createBudget(config.ingest.memoryBytes)
  const { bodyTimeoutMs, minBytesPerSecond } = config.ingest
  const largeBodies = createLargeBodies({
    threads: config.ingest.parses,
    bounds: {
      maxEvents: config.ingest.maxEvents,
      maxValues: config.ingest.maxValues,
      answerBytes: config.ingest.answerBytes,
    },
    onLost: (error) => telemetry.log.error({ err: error }, 'a thread that reads large bodies ended'),
  })
  const { refusalsPerSecond } = config.ingest
  const refusals = createRefusals({
    perSecond: refusalsPerSecond,
    maxWaiting: Math.min(refusalsPerSecond, Math.floor(mostConnections(config.connections.max) / 4)),
  })
  const keptSince = await createKeptSince({ months: config.retentionMonths, keptFrom: () => store.keptFrom() })
  const ingest =
    config.role === 'web'
      ? eventsElsewhere
      : createIngestRoute({
          wal,
          admission,
          telemetry,
          settings: { ...config.ingest, keptSince: keptSince.at },
          budget,
          largeBodies,
          refusals,
          keys,
          now,
        })

  // After a restart events are taken before the first page could be shown.
  const questions = createLaterDoors({
    assertReady: zoneRules.assertCounted,
    createContext,
    accounts,
    read: createSmallBodies(budget, { timeoutMs: bodyTimeoutMs, minBytesPerSecond }),
    telemetry,
    version,
    publicUrl,
    trustProxy,
    trustedProxies,
    appBuildDir,
    vite: options.vite,
  })
  const questionDoors = config.role === 'ingest' ? doorsOfOtherRole : questions.doors
  const http = createHttpServer(
    { ingest, health, ...questionDoors },
    { publicUrl, trustProxy, telemetry, routeOf: questions.routeOf, connections: config.connections },
  )

  const nightly = await openNightlyJobs(config, { store, telemetry, freshness })
  async function startExport() {
    const { startTelemetryExport } = await import('./telemetry/metrics/start.ts')
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
  let recounting: Promise<void> | null = null
  let closing: Promise<boolean> | null = null

  async function close(): Promise<boolean> {
    const deadline = performance.now() + config.shutdownTimeoutMs
    for (const preparation of preparations) preparation.close()
    zoneRules.close()
    changes.close()
    refusals.close()
    const nightlyEnded = nightly.close()
    await http.close(config.shutdownTimeoutMs / 2)
    await largeBodies.close()
    admission.drain()
    admission.close()
    keptSince.close()
    const stored = await writer.drain(Math.max(0, deadline - performance.now()))
    await writer.close()
    abandoned?.close()
    await others.close()
    await wal.close()
    await nightlyEnded
    await recounting
    await exporting?.then((exported) => exported.close())
    await board.close()
    await fixedLists.close()
    await store.close()
    return stored
  }

  return {
    store,
    accounts,
    setupCode,
    telemetry,
    async prepare(work) {
      await prepared(work)
    },
    async listen() {
      const port = await http.listen(config.port, config.host)
      exporting = startExport()
      recounting = zoneRules.recount().catch((error: unknown) => {
        telemetry.log.error({ err: error }, 'counting days again failed')
      })
      if (config.role !== 'ingest') await questions.load()
      await exporting
      const host = config.host.includes(':') ? `[${config.host}]` : config.host
      return { url: `http://${host}:${port}`, port }
    },
    // The audit would take days that other rules had counted for wrong ones.
    startNightly() {
      void Promise.resolve(recounting).then(() => {
        if (!closing) nightly.start()
      })
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}

function troubleOf(abandoned: Abandoned | null): string[] {
  const events = abandoned?.events() ?? 0
  return events === 0
    ? []
    : [`The process that takes events has ended: ${events} events wait in its log until it is started again.`]
}

/** In the bundle this file is build/server/index.js, in source server/compose.ts: both one folder below the root or two. */
const here = dirname(fileURLToPath(import.meta.url))
const root = here.endsWith(join('build', 'server')) ? join(here, '..', '..') : join(here, '..')
const appBuildDir = join(root, 'build', 'app')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
