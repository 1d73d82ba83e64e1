import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { AppError } from '../../errors.ts'
import { FIXED_BLOCK, fixUsers } from '../fixed-users.ts'
import { createSharing } from '../sharing.ts'
import type { OnProgress } from '../steps.ts'
import type {
  AccountStore,
  BatchOutcome,
  EventBatch,
  JobStore,
  KeyStore,
  LogBoard,
  MovingStore,
  Store,
  StoredEvent,
} from '../store.ts'
import { createAccountStore } from './accounts.ts'
import { auditDay } from './audit/audit-day.ts'
import { auditTotals } from './audit/audit-totals.ts'
import { auditUsers } from './audit/audit-users.ts'
import { afterFolds } from './causal.ts'
import { createConnections, reaching } from './client.ts'
import { type Collections, collectionsOf } from './collections.ts'
import type { OnCommand } from './commands.ts'
import { unavailable } from './failure.ts'
import { prepareDatabase } from './indexes.ts'
import { createJobStore } from './jobs.ts'
import { createKeyStore } from './keys.ts'
import { createLogBoard } from './logs.ts'
import { createMoving } from './move/moving.ts'
import { sortedUsers } from './read/fix-users.ts'
import { journey } from './read/journey.ts'
import { orders } from './read/orders.ts'
import { hours, overview, totals } from './read/overview.ts'
import { overviewUntil } from './read/part.ts'
import { type ScanPlace, scan } from './read/scan.ts'
import { sessions } from './read/sessions.ts'
import { type Asking, inOneState, type Question, withAllStored } from './read/state.ts'
import { listUsers, user, usersById } from './read/users.ts'
import { written } from './read/written.ts'
import { dropMonthsBefore, eventMonths, keptFrom } from './retention.ts'
import { allSites, fixedZone, saveSite, site } from './sites.ts'
import { Folder } from './write/folder.ts'
import { Gate } from './write/gate.ts'
import { type Inserting, insertBatch } from './write/insert-batch.ts'
import { endBatch, endGoneBatches } from './write/left-batches.ts'
import { createPresence } from './write/writers.ts'

export interface MongoOptions {
  /** mongodb://… or mongodb+srv://…; the database is the one that it names, else veritas. */
  url: string
  /** Told of every command that is sent. */
  onCommand?: OnCommand | undefined
  /** Told while an older database is brought to the format of this program. */
  onProgress?: OnProgress | undefined
  /** After this long without a sign of life a fold of another process is taken over. */
  leaseMs?: number
  /** Longest wait for one answer, whatever the connections do. */
  answerTimeoutMs?: number
  /** Longest silence of a connection while an answer is due. */
  silenceMs?: number
}

const ANSWER_TIMEOUT_MS = 8000
const SWEEP_MS = 30_000

/**
 * Opens the store, and makes in the database what is missing. A database that is away is no reason not to open: its
 * calls reject as unavailable until it is there. AppError invalid_input for a wrong address, conflict for a database of
 * a newer Veritas.
 */
export async function createMongoStore({ url, onCommand, silenceMs, ...options }: MongoOptions): Promise<Store> {
  const { writing, asking, long, place, connect, close } = createConnections(url, onCommand, silenceMs)
  const { store, prepare } = storeOf({
    writing: collectionsOf(writing),
    asking: collectionsOf(asking),
    long: async () => collectionsOf(await long()),
    place,
    ...options,
    connect,
    disconnect: close,
  })
  try {
    await prepare()
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'unavailable') {
      await close()
      throw error
    }
  }
  return store
}

export interface StoreParts extends Omit<MongoOptions, 'url' | 'onCommand' | 'silenceMs'> {
  /** The same collections over connections of their own. */
  writing: Collections
  asking: Collections
  /** The same for commands that may take hours; `writing` unless given. */
  long?: () => Promise<Collections>
  place: string
  connect(): Promise<void>
  disconnect(): Promise<void>
}

/** A store on collections. Its first call makes in the database what is missing; prepare() does so at once. */
export function storeOf(parts: StoreParts): {
  store: Store
  prepare(): Promise<void>
  /** Brings batches to their end whose processes are gone. Returns their ids. */
  endGoneBatches(): Promise<string[]>
} {
  const { writing, asking, long, place, leaseMs, answerTimeoutMs, onProgress, connect, disconnect } = parts
  const gate = new Gate()
  const folder = new Folder(writing, gate, leaseMs)
  const owner = randomUUID()
  const presence = createPresence(writing, owner)
  const inserting: Inserting = {
    ...{ rows: writing, owner, folder, zones: new Map(), months: new Set(), place },
    endBatch: (batch) => endBatch(inserting, batch),
  }
  /** What processes have left that are gone is brought to its end by any other. */
  const sweeping = setInterval(() => void run(() => endGoneBatches(inserting)).catch(nothing), SWEEP_MS).unref()
  const inOne: Asking = { rows: asking, folder, gate }
  const begun = new Set<Promise<unknown>>()
  const inserts = new Map<string, Promise<BatchOutcome>>()
  let prepared: Promise<void> | null = null
  let closing: Promise<void> | null = null

  function prepare(): Promise<void> {
    prepared ??= reaching(place, () =>
      connect().then(() => prepareDatabase(writing, { onProgress, ...(long && { long }) })),
    ).catch((error: unknown) => {
      prepared = null
      throw error
    })
    return prepared
  }

  /** Runs a call, so that close waits for it and none begins afterwards. */
  async function run<T>(call: () => Promise<T>): Promise<T> {
    if (closing) throw new AppError('unavailable', 'The store is closed.')
    const running = prepare().then(() => reaching(place, call))
    const settled = running.then(nothing, nothing)
    begun.add(settled)
    try {
      return await running
    } finally {
      begun.delete(settled)
    }
  }

  const answer = <T>(question: () => Promise<T>) => run(() => inTime(place, question, answerTimeoutMs))
  const answerWithAll = <T>(question: Question<T>) => answer(() => withAllStored(inOne, question))
  const answerInOneState = <T>(question: Question<T>) => answer(() => inOneState(inOne, question))

  const settle = () => withAllStored(inOne, async () => {})

  const store: Store = {
    engine: 'mongo',
    accounts: running(createAccountStore(writing, asking), answer),
    keys: running(createKeyStore(writing, asking), answer),
    jobs: running(createJobStore(writing, asking), answer),
    moving: running(createMoving(writing, settle), run),
    logs: running(createLogBoard(writing), answer),
    keptFrom: () => answer(async () => (await keptFrom(asking)) || null),
    eventMonths: () => answer(() => eventMonths(asking)),
    dropMonthsBefore: (month, signal) => run(() => dropMonthsBefore(writing, month, signal)),
    auditDay: (query) => run(() => auditDay(writing, settle, query)),
    auditUsers: (query) => run(() => auditUsers(writing, settle, query)),
    auditTotals: (query) => run(() => auditTotals(writing, settle, query)),
    async insertBatch(batch: EventBatch) {
      // Asked for twice at once, it runs once.
      let insert = inserts.get(batch.id)
      if (!insert) {
        insert = run(() => presence.begin().then(() => insertBatch(inserting, batch)))
          .catch((error: unknown) => {
            // Of a database that turns out to be no fit one: no reason to take the events for unfit.
            throw error instanceof AppError && error.code !== 'unavailable'
              ? new AppError('unavailable', error.message, { cause: error })
              : error
          })
          .finally(() => inserts.delete(batch.id))
        inserts.set(batch.id, insert)
      }
      return insert
    },
    overview: (query) => answerInOneState((rows) => overview(rows, query)),
    overviewUntil: createSharing(
      (range) => answerInOneState((rows) => overview(rows, range)),
      (query) => run(() => withAllStored(inOne, (rows) => overviewUntil(rows, query))),
    ),
    hours: (query) => answerInOneState((rows) => hours(rows, query)),
    totals: (siteId) => answerWithAll((rows) => totals(rows, siteId)),
    written: () => answer(() => written(asking)),
    listUsers: (query) => answerInOneState((rows) => listUsers(rows, query)),
    async fixUsers({ siteId, prefix, ...order }) {
      const users = await run(() =>
        sortedUsers(order, (userId) => answerWithAll((rows) => usersById(rows, { siteId, prefix, after: userId }))),
      )
      async function* blocks() {
        for (let from = 0; from < users.length; from += FIXED_BLOCK) yield users.slice(from, from + FIXED_BLOCK)
      }
      return fixUsers(blocks(), tmpdir())
    },
    user: (query) => answerWithAll((rows) => user(rows, query)),
    journey: (query) => answerWithAll((rows) => journey(rows, query)),
    sessions: (query) => answerInOneState((rows) => sessions(rows, query)),
    orders: (query) => answerInOneState((rows) => orders(rows, query)),
    scanEvents: (siteId, range) =>
      scanEvents((place) => answer(() => afterFolds(asking, (rows) => scan(rows, siteId, range, place)))),
    site: (siteId) => answer(() => site(asking, siteId)),
    saveSite: (wanted) => answer(() => saveSite(writing, wanted)),
    sites: () => answer(() => allSites(asking)),
    fixedZone: (siteId) => answer(() => fixedZone(asking, siteId)),
    ping: () => answer(async () => void (await asking.meta.findOne({ _id: 'store' }))),
    close: () => {
      clearInterval(sweeping)
      closing ??= Promise.all(begun)
        .then(() => folder.close())
        .then(() => presence.end())
        .then(disconnect)
      return closing
    },
  }
  return { store, prepare, endGoneBatches: () => run(() => endGoneBatches(inserting)) }
}

type ScanStep = (place: ScanPlace | null) => Promise<{ events: StoredEvent[]; next: ScanPlace | null }>

async function* scanEvents(step: ScanStep): AsyncGenerator<StoredEvent[]> {
  let place: ScanPlace | null = null
  do {
    const { events, next }: Awaited<ReturnType<ScanStep>> = await step(place)
    if (events.length > 0) yield events
    place = next
  } while (place)
}

async function inTime<T>(place: string, question: () => Promise<T>, timeoutMs = ANSWER_TIMEOUT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable(place)), timeoutMs)
  })
  try {
    return await Promise.race([question(), late])
  } finally {
    clearTimeout(timer)
  }
}

/** The same methods, each run by `run`. */
function running<Methods extends AccountStore | KeyStore | JobStore | MovingStore | LogBoard>(
  methods: Methods,
  run: <T>(call: () => Promise<T>) => Promise<T>,
): Methods {
  const wrapped = Object.entries(methods).map(([name, method]) => [
    name,
    (...args: unknown[]) => run(() => (method as (...args: unknown[]) => Promise<unknown>)(...args)),
  ])
  return Object.fromEntries(wrapped) as Methods
}

function nothing(): void {}
