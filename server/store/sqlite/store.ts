import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AppError } from '../../errors.ts'
import { createSharing } from '../sharing.ts'
import type { OnProgress } from '../steps.ts'
import type { AccountStore, BatchOutcome, FrameOutcome, Store, StoredEvent } from '../store.ts'
import { createFixing } from './fix-users.ts'
import { createKeeping } from './keeping.ts'
import { Lane } from './lane.ts'
import { createLogBound } from './log-bound.ts'
import { createMoving } from './move/moving.ts'
import type { AnswerOf, InputOf, ReadOperations, WriteOperations } from './operations.ts'
import type { ScanPlace } from './read/scan.ts'
import { Readers } from './readers.ts'
import type { CallOptions } from './thread.ts'
import { packFrames } from './write/frames.ts'
import { packBatch } from './write/pack.ts'

export interface SqliteOptions {
  /** The file; its folder is made when missing. `PATH-wal` and `PATH-shm` stand beside it while it is open. */
  path: string
  /** Threads that answer questions. */
  readers: number
  /** Longest wait for, and longest work on, one question. */
  readTimeoutMs?: number
  /** Memory for pages of the file in the thread that writes. */
  cacheBytes?: number | undefined
  /** How long SQLite's own log may become before batches have to wait. */
  logMaxBytes?: number
  /** Told while an older store is brought to the format of this program. */
  onProgress?: OnProgress | undefined
}

const READ_TIMEOUT_MS = 5000
const COUNT_TIMEOUT_MS = 30_000
const CACHE_BYTES = 32 * 1024 * 1024
const LOG_MAX_BYTES = 2 * 1024 ** 3

/**
 * Opens or makes the store. AppError unavailable, with one line that says why, for a file that cannot be used. Several
 * processes may have the same file open.
 */
export async function createSqliteStore({
  path,
  readers: count,
  readTimeoutMs = READ_TIMEOUT_MS,
  cacheBytes = CACHE_BYTES,
  logMaxBytes = LOG_MAX_BYTES,
  onProgress,
}: SqliteOptions): Promise<Store> {
  await mkdir(dirname(path), { recursive: true }).catch((cause) => {
    throw new AppError('unavailable', `The folder ${dirname(path)} of the store cannot be made.`, { cause })
  })
  const writer = new Lane({ role: 'writer', path, cacheBytes }, onProgress)
  // The first connection decides what a new file is like, and one that brings it to a newer format may have to be alone.
  await writer.opened().catch((error) => {
    throw naming(error, path)
  })
  const readers = new Readers(path, count, readTimeoutMs)
  await readers.opened().catch(async (error) => {
    await readers.close()
    await writer.close()
    throw naming(error, path)
  })

  const log = createLogBound(path, logMaxBytes, (input) => write('checkpoint', input))
  const insert = async (name: string, input: unknown, options?: CallOptions) => {
    log.assertRoom()
    const answer = await writer.call(name, input, options)
    log.look()
    return answer
  }

  function ask<Name extends keyof ReadOperations & string>(
    name: Name,
    input: InputOf<ReadOperations, Name>,
  ): Promise<AnswerOf<ReadOperations, Name>> {
    return readers.ask(name, input) as Promise<AnswerOf<ReadOperations, Name>>
  }
  function write<Name extends keyof WriteOperations & string>(
    name: Name,
    input: InputOf<WriteOperations, Name>,
  ): Promise<AnswerOf<WriteOperations, Name>> {
    const answer = writer.call(name, input) as Promise<AnswerOf<WriteOperations, Name>>
    answer.then(log.look, () => undefined)
    return answer
  }

  const accounts: AccountStore = {
    count: () => ask('countAccounts', null),
    create: (account, options) => write('createAccount', { account, onlyIfFirst: options?.onlyIfFirst ?? false }),
    byEmail: (email) => ask('accountByEmail', email),
    byId: (id) => ask('accountById', id),
    createSession: (session) => write('createSession', session),
    bySession: (tokenHash, now) => ask('accountBySession', { tokenHash, now }),
    deleteSession: (tokenHash) => write('deleteSession', tokenHash),
    createInvitation: (invitation) => write('createInvitation', invitation),
    invitation: (tokenHash, now) => ask('invitation', { tokenHash, now }),
    deleteInvitation: (tokenHash) => write('deleteInvitation', tokenHash),
    createToken: (token) => write('createToken', token),
    byToken: (tokenHash) => ask('accountToken', tokenHash),
    list: () => ask('listAccounts', null),
    remove: (id, options) => write('removeAccount', { id, evenLastOwner: options?.evenLastOwner ?? false }),
    makeOwner: (id) => write('makeOwner', id),
    setPassword: (id, passwordHash) => write('setPassword', { id, passwordHash }),
    listTokens: () => ask('listTokens', null),
    revokeToken: (tokenHash) => write('revokeToken', tokenHash),
  }

  const { close: closeKeeping, ...keeping } = createKeeping(path, ask, write)
  const fixing = createFixing(path)
  let counter: Readers | undefined
  const overviewUntil = createSharing(
    (range) => ask('overview', range),
    (query) => {
      // A thread of its own, made for the first of them: questions need not wait behind counts.
      counter ??= new Readers(path, 1, COUNT_TIMEOUT_MS)
      return counter.ask('overviewUntil', query) as Promise<AnswerOf<ReadOperations, 'overviewUntil'>>
    },
  )
  let closing: Promise<void> | undefined
  return {
    engine: 'sqlite',
    ...keeping,
    moving: createMoving(ask, write),
    accounts,
    keys: {
      create: (key) => write('createKey', key),
      byHash: (keyHash) => ask('keyByHash', keyHash),
      digests: (most) => ask('keyDigests', most),
      list: (siteId) => ask('listKeys', siteId),
      revoke: (keyHash) => write('revokeKey', keyHash),
    },
    jobs: {
      claim: (lease) => write('claimJob', lease),
      release: (lease) => write('releaseJob', lease),
      note: (entry) => write('noteJob', entry),
      list: () => ask('listJobs', null),
    },
    insertBatch: async (batch) => (await insert('insertBatch', packBatch(batch))) as BatchOutcome,
    async insertFrames(batch) {
      const packed = packFrames(batch)
      return (await insert('insertFrames', packed, { handOver: [packed.bytes.buffer] })) as FrameOutcome
    },
    overview: (query) => ask('overview', query),
    overviewUntil,
    hours: (query) => ask('hours', query),
    totals: (siteId) => ask('totals', siteId),
    written: async () => (await ask('writtenState', null)).written,
    listUsers: (query) => ask('listUsers', query),
    fixUsers: (query) => fixing.fixUsers(query),
    user: (query) => ask('user', query),
    journey: (query) => ask('journey', query),
    sessions: (query) => ask('sessions', query),
    orders: (query) => ask('orders', query),
    scanEvents: (siteId, range) => scanEvents((place) => ask('scan', { siteId, range, place })),
    site: (siteId) => ask('site', siteId),
    saveSite: (site, { recountUpTo = 0 } = {}) => write('saveSite', { site, recountUpTo }),
    sites: () => ask('sites', null),
    fixedZone: (siteId, recountUpTo) => ask('fixedZone', { siteId, recountUpTo }),
    ping: () => ask('ping', null),
    close: () => {
      closing ??= Promise.all([closeKeeping(), fixing.close(), log.close(), readers.close(), counter?.close()]).then(
        () => writer.close(),
      )
      return closing
    },
  }
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

function naming(error: unknown, path: string): AppError {
  if (!(error instanceof AppError)) throw error
  return new AppError(error.code, `${error.message} (${path})`, { cause: error.cause })
}
