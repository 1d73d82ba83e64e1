import { createHash } from 'node:crypto'
import { AppError } from '../errors.ts'

const WINDOW_MS = 15 * 60_000
const PER_PERSON = 5
const PER_ADDRESS = 50
const PER_EMAIL = 100
/** Of each kind that are counted, about 200 bytes each. */
const MAX_COUNTED = 50_000
/** To make room, the least counted of so many of the oldest is forgotten: who tries much is remembered. */
const LOOKED_AT = 32

/** Wrong passwords are counted for 15 minutes: per email and address, per address, and per email from anywhere. */
export interface Tries {
  /** Takes one try. Throws AppError rate_limited when none is left; returns how many are left after it. */
  take(email: string, address: string): number
  /** Gives back one that could not be made. */
  giveBack(email: string, address: string): void
  /** A right password gives the tries of this person back. */
  forgive(email: string, address: string): void
}

export function createTries({ now = () => performance.now(), maxCounted = MAX_COUNTED } = {}): Tries {
  const persons = new Counts(PER_PERSON, maxCounted, now)
  const addresses = new Counts(PER_ADDRESS, maxCounted, now)
  const emails = new Counts(PER_EMAIL, maxCounted, now)
  const personKey = (email: string, address: string) => `${email}\n${address}`

  return {
    take(email, address) {
      addresses.take(networkOf(address))
      const left = persons.take(personKey(email, address))
      emails.take(email)
      return left
    },
    giveBack(email, address) {
      addresses.giveBack(networkOf(address))
      persons.giveBack(personKey(email, address))
      emails.giveBack(email)
    },
    forgive(email, address) {
      persons.forget(personKey(email, address))
      addresses.giveBack(networkOf(address))
      emails.giveBack(email)
    },
  }
}

/** Counts in windows that begin with the first try. No library bounds how many it counts. */
class Counts {
  readonly #most: number
  readonly #maxCounted: number
  readonly #now: () => number
  /** In the order in which they end. */
  readonly #counts = new Map<string, { count: number; until: number }>()

  constructor(most: number, maxCounted: number, now: () => number) {
    this.#most = most
    this.#maxCounted = maxCounted
    this.#now = now
  }

  /** How many are left. */
  take(text: string): number {
    const key = digest(text)
    const now = this.#now()
    for (const [old, { until }] of this.#counts) {
      if (until > now) break
      this.#counts.delete(old)
    }
    const counted = this.#counts.get(key)
    if (!counted) {
      if (this.#counts.size >= this.#maxCounted) this.#makeRoom()
      this.#counts.set(key, { count: 1, until: now + WINDOW_MS })
      return this.#most - 1
    }
    if (counted.count >= this.#most) throw tooMany(counted.until - now)
    counted.count++
    return this.#most - counted.count
  }

  giveBack(text: string): void {
    const key = digest(text)
    const counted = this.#counts.get(key)
    if (counted && --counted.count <= 0) this.#counts.delete(key)
  }

  forget(text: string): void {
    this.#counts.delete(digest(text))
  }

  #makeRoom(): void {
    let least: { key: string; count: number } | null = null
    let looked = 0
    for (const [key, { count }] of this.#counts) {
      if (!least || count < least.count) least = { key, count }
      if (++looked === LOOKED_AT) break
    }
    if (least) this.#counts.delete(least.key)
  }
}

function tooMany(leftMs: number): AppError {
  const retryAfterSeconds = Math.max(1, Math.ceil(leftMs / 1000))
  const minutes = Math.ceil(retryAfterSeconds / 60)
  return new AppError(
    'rate_limited',
    `Too many tries. Wait ${minutes} minute${minutes === 1 ? '' : 's'}, then try again.`,
    { retryAfterSeconds },
  )
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/** Of IPv6 the half that names a network: whoever has one of its addresses has all of them. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address
  const [head = '', tail] = address.split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0')
  return [...first, ...zeros, ...last].slice(0, 4).join(':')
}
