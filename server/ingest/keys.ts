import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { AppError } from '../errors.ts'
import type { KeyStore, WriteKey } from '../store/store.ts'

/** Who sends a request, and what they may. */
export interface Sender {
  siteId: string
  /** pk: a browser, anybody can read its key. sk: a server that keeps it secret. */
  kind: 'pk' | 'sk'
  /** Takes so many events from what the key may send. Throws AppError rate_limited. */
  spend(events: number): void
}

export interface Keys {
  /** The sender with this key; null is a request without one. Throws AppError unauthenticated, or unavailable when it cannot be looked up now. */
  find(key: string | null): Promise<Sender>
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
/** Keys come from strangers: what is remembered of them is bounded. */
const MAX_REMEMBERED = 10_000
/** A key may send this many seconds' worth at once. */
const BURST_SECONDS = 5

interface Remembered {
  sender: Sender | null
  until: number
}

/** Looks keys up in the store and remembers them, so that ingest goes on with known keys while the store is away. */
export function createKeys({ store, keyless, defaultSiteId, now = () => performance.now() }: KeysParts): Keys {
  const remembered = new Map<string, Remembered>()
  const asking = new Map<string, Promise<Sender | null>>()
  const anybody: Sender = { siteId: defaultSiteId, kind: 'sk', spend: () => {} }

  function remember(keyHash: string, key: WriteKey | null): Sender | null {
    const before = remembered.get(keyHash)
    // The same sender keeps its bucket over refreshes.
    const sender = key ? (before?.sender ?? createSender(key, now)) : null
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(keyHash, { sender, until: now() + (key ? KNOWN_MS : UNKNOWN_MS) })
    return sender
  }

  /** Once for all that wait for it. */
  function ask(keyHash: string): Promise<Sender | null> {
    let asked = asking.get(keyHash)
    if (!asked) {
      asked = askStore(keyHash).finally(() => asking.delete(keyHash))
      asking.set(keyHash, asked)
    }
    return asked
  }

  /** A sender that was known stays so for as long as the store is away. */
  async function askStore(keyHash: string): Promise<Sender | null> {
    const known = remembered.get(keyHash)
    try {
      return remember(keyHash, await store.byHash(keyHash))
    } catch (error) {
      if (!known?.sender) throw error
      known.until = Math.max(known.until, now() + UNKNOWN_MS)
      return known.sender
    }
  }

  async function look(keyHash: string): Promise<Sender | null> {
    const known = remembered.get(keyHash)
    const leftMs = known ? known.until - now() : 0
    if (known && leftMs > 0) {
      const isDue = known.sender !== null && leftMs <= KNOWN_MS - REFRESH_MS
      if (isDue && !asking.has(keyHash)) ask(keyHash).catch(() => {})
      return known.sender
    }
    try {
      return await ask(keyHash)
    } catch (error) {
      throw new AppError('unavailable', 'The write key cannot be checked at the moment. Send the request again.', {
        retryAfterSeconds: 2,
        cause: error,
      })
    }
  }

  return {
    async find(key) {
      if (key === null) {
        if (keyless === 'allow') return anybody
        throw new AppError(
          'unauthenticated',
          'The request has no write key. Send it as "Authorization: Bearer pk_…" or "X-Write-Key".',
        )
      }
      const sender = isWriteKey(key) ? await look(hashKey(key)) : null
      if (!sender)
        throw new AppError('unauthenticated', 'The write key is not known. Make one with: npm run keys -- create')
      return sender
    },
  }
}

function isWriteKey(key: string): boolean {
  return /^(pk|sk)_[\w-]{32,64}$/.test(key)
}

/** What is kept of a key. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('base64url')
}

/** The key of the headers or the address: Bearer, Basic (as the user's name), X-Write-Key, ?writeKey=. */
export function keyOfRequest(req: IncomingMessage): string | null {
  const { authorization } = req.headers
  if (authorization !== undefined) {
    const [scheme = '', value = ''] = authorization.split(' ', 2)
    if (/^bearer$/i.test(scheme) && value) return value
    if (/^basic$/i.test(scheme)) {
      const name = Buffer.from(value, 'base64').toString('utf8').split(':', 1)[0]
      if (name) return name
    }
  }
  const header = req.headers['x-write-key']
  if (typeof header === 'string' && header) return header
  const query = req.url?.indexOf('?') ?? -1
  return query === -1 ? null : new URLSearchParams(req.url?.slice(query)).get('writeKey') || null
}

/** A bucket that fills at the key's rate and holds a few seconds of it. */
function createSender({ siteId, kind, eventsPerSecond }: WriteKey, now: () => number): Sender {
  if (eventsPerSecond === null) return { siteId, kind, spend: () => {} }
  const size = eventsPerSecond * BURST_SECONDS
  let left = size
  let filledAt = now()
  return {
    siteId,
    kind,
    spend(events) {
      const at = now()
      left = Math.min(size, left + ((at - filledAt) / 1000) * eventsPerSecond)
      filledAt = at
      // A request larger than the bucket is taken when the bucket is full, and paid off afterwards.
      const needed = Math.min(events, size)
      if (left < needed) {
        const seconds = Math.ceil((needed - left) / eventsPerSecond)
        throw new AppError(
          'rate_limited',
          `This key may send ${eventsPerSecond} events a second. Send the request again later.`,
          {
            retryAfterSeconds: Math.max(1, seconds) + Math.floor(Math.random() * 2),
          },
        )
      }
      left -= events
    },
  }
}
