import type { IncomingMessage } from 'node:http'
import { AppError } from '../errors.ts'
import { giveBack } from '../give-back.ts'
import type { Holding } from './budget.ts'
import { type Coding, codingOf, inflateAside, inflateHead, namedCoding } from './coding.ts'
import { drain } from './drain.ts'

export interface BodyLimits {
  /** Of the body as sent and as inflated. */
  maxBytes: number
  /** Longest time without a byte, and from the headers to the last byte but for what minBytesPerSecond adds; checked a few times a second. */
  timeoutMs: number
  /** Each so many bytes that came give the rest a second more, so that slow lines can send what is large. */
  minBytesPerSecond: number
  /** Where the bytes count; the caller releases it when the request is answered. */
  holding: Holding
  /** Of a body whose sender is not known yet. */
  ticket?: Ticket
}

/** Decides by the beginning of a body whether the rest of it is read. */
export interface Ticket {
  /** A body up to this size, unpacked, needs none. */
  bytes: number
  /** Gets at least so many bytes. Resolves to the most bytes the body may have; throws AppError when it is not to be read. */
  admit(head: Buffer): Promise<number>
}

const SWEEP_MS = 100
/** Each piece costs more than its bytes, and is work of its own. */
const SMALL_PIECE = 1024
const MAX_BLOCK_BYTES = 64 * 1024
/** A body may come in so many pieces, and one more for so many of its bytes. */
const FREE_PIECES = 1000
const BYTES_A_PIECE = 16

/** Clients that wait to be told to go on before they send a body. */
const awaited = new WeakMap<IncomingMessage, () => void>()

/** `goOn` is called when somebody begins to read the body. */
export function awaitReader(req: IncomingMessage, goOn: () => void): void {
  awaited.set(req, goOn)
}

/** Whether the client was not told to send its body; on this connection nobody could say where the next request begins. */
export function waitsForReader(req: IncomingMessage): boolean {
  return awaited.has(req)
}

/** A body as it was sent. */
export interface RawBody {
  readonly bytes: Buffer
  /** null for one that is plain. */
  readonly coding: Coding | null
  /** What it may have, inflated. */
  maxBytes: number
  /** Until it was shown. */
  ticket: Ticket | undefined
}

/**
 * Reads a request body into memory, never more than the limit of it. gzip is known by its first bytes (clients mislabel
 * it), deflate and br by Content-Encoding. Throws AppError too_large, timeout, unsupported_media, or rate_limited when
 * too much is in memory at once; the rest of a refused body is read away.
 */
export async function readRaw(req: IncomingMessage, limits: BodyLimits): Promise<RawBody> {
  const name = namedCoding(req)
  const declared = Number(req.headers['content-length'])
  if (declared > limits.maxBytes) {
    drain(req)
    throw tooLarge(limits.maxBytes)
  }
  const reading = await new Promise<Reading>((resolve, reject) => new Reading(req, limits, resolve, reject))
  const bytes = reading.body()
  return { bytes, coding: codingOf(bytes, name), maxBytes: reading.maxBytes, ticket: reading.ticket }
}

/**
 * The body inflated, or null when it has more than so many bytes and may. Throws AppError too_large, invalid_input,
 * rate_limited, and what the ticket throws, which is shown when it has to be.
 */
export async function unpack(raw: RawBody, holding: Holding, atMostBytes: number): Promise<Buffer | null> {
  const { bytes, coding } = raw
  if (coding === null) return bytes
  for (;;) {
    const most = Math.min(atMostBytes, raw.maxBytes, raw.ticket?.bytes ?? raw.maxBytes)
    const isLarge = most < raw.maxBytes && isSaidToBeLarger(bytes, coding, most)
    const inflated = isLarge ? null : await inflateAside(bytes, coding, most)
    if (inflated) {
      holding.resize(inflated.length)
      return inflated
    }
    if (raw.ticket && most === raw.ticket.bytes) {
      const { ticket } = raw
      raw.ticket = undefined
      raw.maxBytes = await ticket.admit(await inflateHead(bytes, coding, ticket.bytes))
    } else if (most === raw.maxBytes) throw tooLarge(raw.maxBytes)
    else return null
  }
}

/** A gzip ends with its size, unless something follows it: no proof, only a reason to look at it elsewhere. */
function isSaidToBeLarger(bytes: Buffer, coding: Coding, most: number): boolean {
  return coding === 'gzip' && bytes.length > 18 && bytes.readUInt32LE(bytes.length - 4) > most
}

/** A whole body, inflated: for those that are small. Throws as readRaw and unpack. */
export async function readBody(req: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const raw = await readRaw(req, limits)
  return (await unpack(raw, limits.holding, Number.POSITIVE_INFINITY))!
}

/** Bodies under way. One timer looks after all of them: a timer for each would cost more than reading it. */
const readings = new Set<Reading>()
let sweeper: NodeJS.Timeout | null = null

function sweep(): void {
  const now = performance.now()
  for (const reading of readings) reading.expire(now)
  if (readings.size > 0 || !sweeper) return
  clearInterval(sweeper)
  sweeper = null
}

class Reading {
  maxBytes: number
  /** Until it was shown. */
  ticket: Ticket | undefined
  readonly #req: IncomingMessage
  readonly #limits: BodyLimits
  readonly #resolve: (reading: Reading) => void
  readonly #reject: (error: unknown) => void
  readonly #startedAt = performance.now()
  #lastAt = this.#startedAt
  #parts: Buffer[] = []
  /** Small pieces together, the last of the parts. */
  #block: Buffer | null = null
  #blockBytes = 0
  #pieces = 0
  #size = 0
  #done = false
  #isHeld = false
  /** The beginning that was looked at; zlib may still have a part of it in its hands. */
  #shown: Buffer | undefined

  constructor(
    req: IncomingMessage,
    limits: BodyLimits,
    resolve: (reading: Reading) => void,
    reject: (error: unknown) => void,
  ) {
    this.maxBytes = limits.maxBytes
    this.ticket = limits.ticket
    this.#req = req
    this.#limits = limits
    this.#resolve = resolve
    this.#reject = reject
    readings.add(this)
    sweeper ??= setInterval(sweep, SWEEP_MS).unref()
    req.on('data', this.#onData)
    req.on('end', this.#onEnd)
    req.on('error', this.#onGone)
    req.on('close', this.#onGone)
    awaited.get(req)?.()
    awaited.delete(req)
  }

  body(): Buffer {
    this.#endBlock()
    const [first] = this.#parts
    if (first && this.#parts.length === 1) {
      this.#parts = []
      return first
    }
    const body = Buffer.concat(this.#parts, this.#size)
    this.#letGo()
    return body
  }

  expire(now: number): void {
    if (this.#isHeld) return
    const { timeoutMs, minBytesPerSecond } = this.#limits
    const allowedMs = timeoutMs + (this.#size / minBytesPerSecond) * 1000
    if (now - this.#lastAt >= timeoutMs)
      this.#fail(new AppError('timeout', `Nothing of the body arrived for ${timeoutMs} ms. Send it again.`))
    else if (now - this.#startedAt >= allowedMs)
      this.#fail(
        new AppError('timeout', `The body came with less than ${minBytesPerSecond} bytes a second. Send it again.`),
      )
  }

  readonly #onData = (part: Buffer): void => {
    if (this.#done) return
    const size = this.#size + part.length
    try {
      this.#assertFits(size)
    } catch (error) {
      giveBack(part)
      return void this.#fail(error)
    }
    this.#add(part)
    this.#size = size
    this.#lastAt = performance.now()
    if (this.ticket && size > this.ticket.bytes) void this.#show(this.ticket)
  }

  #assertFits(size: number): void {
    if (size > this.maxBytes) throw tooLarge(this.maxBytes)
    this.#limits.holding.resize(size)
    this.#pieces += 1
    if (this.#pieces > FREE_PIECES + size / BYTES_A_PIECE)
      throw new AppError('invalid_input', 'The body comes in pieces of a few bytes. Send it in larger ones.')
  }

  #add(part: Buffer): void {
    if (part.length >= SMALL_PIECE || this.#size === 0) {
      this.#endBlock()
      this.#parts.push(part)
      return
    }
    if (this.#block && this.#blockBytes + part.length > this.#block.length) this.#endBlock()
    this.#block ??= Buffer.allocUnsafeSlow(Math.min(MAX_BLOCK_BYTES, Math.max(SMALL_PIECE, this.#size)))
    this.#blockBytes += part.copy(this.#block, this.#blockBytes)
  }

  #letGo(): void {
    for (const part of this.#parts) if (part !== this.#shown) giveBack(part)
    this.#parts = []
    this.#block = null
  }

  #endBlock(): void {
    if (this.#block) this.#parts.push(this.#block.subarray(0, this.#blockBytes))
    this.#block = null
    this.#blockBytes = 0
  }

  /** Nothing more is read until the beginning was looked at. */
  async #show(ticket: Ticket): Promise<void> {
    this.ticket = undefined
    this.#isHeld = true
    this.#req.pause()
    try {
      const start = this.body()
      this.#parts = [start]
      this.#shown = start
      const coding = codingOf(start, namedCoding(this.#req))
      this.maxBytes = await ticket.admit(coding === null ? start : await inflateHead(start, coding, ticket.bytes))
      if (this.#size > this.maxBytes || Number(this.#req.headers['content-length']) > this.maxBytes)
        throw tooLarge(this.maxBytes)
    } catch (error) {
      return void this.#fail(error)
    }
    this.#isHeld = false
    this.#lastAt = performance.now()
    this.#req.resume()
  }

  readonly #onEnd = (): void => {
    if (this.#finish()) this.#resolve(this)
  }

  readonly #onGone = (): void => {
    if (!this.#finish()) return
    this.#letGo()
    this.#reject(new AppError('invalid_input', 'The connection closed before the body was complete.'))
  }

  #fail(error: unknown): void {
    if (!this.#finish()) return
    // The request may go on for long, and has this in its hands until it ends.
    this.#letGo()
    drain(this.#req)
    this.#reject(error)
  }

  #finish(): boolean {
    if (this.#done) return false
    this.#done = true
    readings.delete(this)
    return true
  }
}

export function tooLarge(maxBytes: number): AppError {
  return new AppError('too_large', `The body is larger than ${maxBytes} bytes. Send fewer events at once.`)
}
