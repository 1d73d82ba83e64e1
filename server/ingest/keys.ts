import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { AppError } from '../errors.ts'
import type { KeyStore, WriteKey } from '../store/store.ts'

/** Who sends a request, and what they may. */
export interface Sender {
  siteId: string
  /** pk: a browser, anybody can read its key. sk: a server that keeps it secret. */
  kind: 'pk' | 'sk'
  /** Whether pages of this origin may send with the key; undefined for a request of no page. */
  mayComeFrom(origin: string | undefined): boolean
  /** Whether the key may send so many events now, before anything is done for them. Throws AppError rate_limited. */
  check(events: number): void
  /** Takes so many events from what the key may send. Throws AppError rate_limited. */
  spend(events: number): void
}

export interface Keys {
  /** The sender with this key; null is a request without one. Throws AppError unauthenticated, or unavailable when it cannot be looked up now. */
  find(key: string | null): Promise<Sender>
  /** The sender with the first of these keys that is known. Throws as find. */
  findFirst(keys: readonly string[]): Promise<Sender>
}

export interface KeysParts {
  store: KeyStore
  /** Whether a request without a key is taken, as the default site's server. */
  keyless: 'allow' | 'refuse'
  defaultSiteId: string
  /** In ms from any moment on; it must not be set back. */
  now?: () => number
}

const KNOWN_MS = 30_000
/** From this age on a key in use is looked up beside its requests, which need not wait for a store that takes its time. */
const REFRESH_MS = 10_000
const UNKNOWN_MS = 5_000
/** Of keys that exist; their owner made them. */
const MAX_KNOWN = 10_000
/** Of keys that do not. They come from strangers, so they have a memory of their own and cannot push out the others. */
const MAX_UNKNOWN = 10_000
/** Keys that the store is asked about at once; of random keys there is no end. */
const MAX_ASKED = 64
/** While there are more, those that exist are told from the others by their digests, 43 bytes each, of so many … */
const MAX_DIGESTS = 100_000
/** … and read again when they are older than this. */
const DIGESTS_MS = 1000
/** A key may send this many seconds' worth at once. */
const BURST_SECONDS = 5
/** Of one request that are looked up; a client has one, and a proxy may add one. */
const MAX_KEYS = 4

interface Known {
  sender: Sender
  until: number
}

/** Looks keys up in the store and remembers them, so that ingest goes on with known keys while the store is away. */
export function createKeys({ store, keyless, defaultSiteId, now = () => performance.now() }: KeysParts): Keys {
  const known = new Map<string, Known>()
  /** Until when the store need not be asked again. */
  const unknown = new Map<string, number>()
  const asking = new Map<string, Promise<Sender | null>>()
  const digests = { all: new Set<string>(), until: Number.NEGATIVE_INFINITY, reading: null as Promise<void> | null }
  const anybody: Sender = {
    siteId: defaultSiteId,
    kind: 'sk',
    mayComeFrom: () => true,
    check: () => {},
    spend: () => {},
  }

  function remember(keyHash: string, key: WriteKey | null): Sender | null {
    // The same sender keeps its bucket over refreshes.
    const sender = key && (known.get(keyHash)?.sender ?? createSender(key, now))
    known.delete(keyHash)
    unknown.delete(keyHash)
    if (sender) putLast(known, keyHash, { sender, until: now() + KNOWN_MS }, MAX_KNOWN)
    else putLast(unknown, keyHash, now() + UNKNOWN_MS, MAX_UNKNOWN)
    return sender
  }

  /** Once for all that wait for it. */
  async function ask(keyHash: string): Promise<Sender | null> {
    if (asking.size >= MAX_ASKED && !asking.has(keyHash) && !known.has(keyHash) && !(await exists(keyHash)))
      throw new Error('too many keys are looked up at once')
    let asked = asking.get(keyHash)
    if (!asked) {
      asked = askStore(keyHash).finally(() => asking.delete(keyHash))
      asking.set(keyHash, asked)
    }
    return asked
  }

  /** Whether it was among all keys a moment ago: one question for all random keys of a moment. */
  async function exists(keyHash: string): Promise<boolean> {
    if (digests.all.has(keyHash)) return true
    if (now() < digests.until) return false
    digests.reading ??= store
      .digests(MAX_DIGESTS)
      .then((all) => {
        digests.all = new Set(all)
      })
      .finally(() => {
        digests.reading = null
        digests.until = now() + DIGESTS_MS
      })
    await digests.reading
    return digests.all.has(keyHash)
  }

  /** A sender that was known stays so for as long as the store is away. */
  async function askStore(keyHash: string): Promise<Sender | null> {
    const before = known.get(keyHash)
    try {
      return remember(keyHash, await store.byHash(keyHash))
    } catch (error) {
      if (!before) throw error
      before.until = Math.max(before.until, now() + UNKNOWN_MS)
      return before.sender
    }
  }

  async function look(keyHash: string): Promise<Sender | null> {
    const held = known.get(keyHash)
    const leftMs = held ? held.until - now() : 0
    if (held && leftMs > 0) {
      const isDue = leftMs <= KNOWN_MS - REFRESH_MS
      if (isDue && !asking.has(keyHash)) ask(keyHash).catch(() => {})
      return held.sender
    }
    if ((unknown.get(keyHash) ?? Number.NEGATIVE_INFINITY) > now()) return null
    try {
      return await ask(keyHash)
    } catch (error) {
      throw new AppError('unavailable', 'The write key cannot be checked at the moment. Send the request again.', {
        retryAfterSeconds: 2,
        cause: error,
      })
    }
  }

  async function findFirst(keys: readonly string[]): Promise<Sender> {
    for (const key of keys) {
      const sender = isWriteKey(key) ? await look(hashKey(key)) : null
      if (sender) return sender
    }
    throw new AppError('unauthenticated', 'The write key is not known. Make one with: npm run keys -- create')
  }

  return {
    findFirst,
    async find(key) {
      if (key !== null) return findFirst([key])
      if (keyless === 'allow') return anybody
      throw new AppError(
        'unauthenticated',
        'The request has no write key. Send it as "Authorization: Bearer pk_…" or "X-Write-Key".',
      )
    },
  }
}

/** At the end of the map, whose first entry makes room where it is full. */
function putLast<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  if (map.size >= most) map.delete(map.keys().next().value!)
  map.set(key, value)
}

function isWriteKey(key: string): boolean {
  return /^(pk|sk)_[\w-]{32,64}$/.test(key)
}

/** What is kept of a key. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('base64url')
}

/** A write key as the beginning of a body names it; a better look follows when all of it is there. */
export function keyOfHead(head: Buffer): string | null {
  return /"(?:writeKey|api_key)"\s*:\s*"((?:pk|sk)_[\w-]{32,64})"/.exec(head.toString('latin1'))?.[1] ?? null
}

/**
 * The keys of the headers and the address: Bearer, Basic (as the user's name), X-Write-Key, ?writeKey=, ?api_key=. What
 * else may be in Authorization is for somebody else, such as a proxy. What is in the places that are ours alone and looks
 * like no key counts only when nothing does.
 */
export function keysOfRequest(req: IncomingMessage): string[] {
  const { authorization = '', 'x-write-key': header = '' } = req.headers
  const [scheme = '', value = ''] = authorization.split(' ', 2)
  const foreign = /^basic$/i.test(scheme)
    ? Buffer.from(value, 'base64').toString('utf8').split(':', 1)
    : /^bearer$/i.test(scheme)
      ? [value]
      : []
  // Sent twice, it comes as one text with a comma.
  const own = String(header).split(',')
  const query = req.url?.indexOf('?') ?? -1
  if (query !== -1) {
    const parameters = new URLSearchParams(req.url?.slice(query))
    own.push(parameters.get('writeKey') ?? '', parameters.get('api_key') ?? '')
  }
  const all = [...foreign, ...own].map((key) => key.trim())
  const likely = all.filter((key) => /^(pk|sk)_/.test(key))
  const others = own.map((key) => key.trim()).filter((key) => key !== '')
  return [...new Set(likely.length > 0 ? likely : others)].slice(0, MAX_KEYS)
}

/** A bucket that fills at the key's rate and holds a few seconds of it. */
function createSender({ siteId, kind, eventsPerSecond, origins }: WriteKey, now: () => number): Sender {
  const allowed = origins === null ? null : new Set(origins.split(' '))
  const mayComeFrom = (origin: string | undefined) =>
    allowed === null || origin === undefined || allowed.has(origin.toLowerCase())
  if (eventsPerSecond === null) return { siteId, kind, mayComeFrom, check: () => {}, spend: () => {} }
  const size = eventsPerSecond * BURST_SECONDS
  let left = size
  let filledAt = now()

  function check(events: number): void {
    const at = now()
    left = Math.min(size, left + ((at - filledAt) / 1000) * eventsPerSecond!)
    filledAt = at
    // A request larger than the bucket is taken when the bucket is full, and paid off afterwards.
    const needed = Math.min(events, size)
    if (left >= needed) return
    const seconds = Math.ceil((needed - left) / eventsPerSecond!)
    throw new AppError(
      'rate_limited',
      `This key may send ${eventsPerSecond} events a second. Send the request again later.`,
      { retryAfterSeconds: Math.max(1, seconds) + Math.floor(Math.random() * 2) },
    )
  }

  return {
    siteId,
    kind,
    mayComeFrom,
    check,
    spend(events) {
      check(events)
      left -= events
    },
  }
}
