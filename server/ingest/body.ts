import type { IncomingMessage } from 'node:http'
import { gunzip } from 'node:zlib'
import { AppError } from '../errors.ts'

export interface BodyLimits {
  /** Of the body as sent and as inflated. */
  maxBytes: number
  /** Longest time from the headers to the last byte; checked a few times a second. */
  timeoutMs: number
}

/** How much of a refused body is read away so that the connection stays usable; beyond it the connection ends. */
const MAX_DRAINED_BYTES = 64 * 1024 * 1024
const SWEEP_MS = 100
/** Of all bodies that are on their way, unless four of the largest are more. Beyond it those that are not small are refused. */
const MAX_UNDER_WAY_BYTES = 256 * 1024 * 1024
const SMALL_BYTES = 64 * 1024

/**
 * Reads a request body into memory, never more than the limit of it, and inflates gzip known by its first bytes
 * (clients mislabel it). Throws AppError too_large, timeout, invalid_input, or rate_limited when too much is on its way
 * at once; the rest of a refused body is read away.
 */
export async function readBody(req: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const declared = Number(req.headers['content-length'])
  if (declared > limits.maxBytes) {
    drain(req)
    throw tooLarge(limits.maxBytes)
  }
  const body = await new Promise<Buffer>((resolve, reject) => new Reading(req, limits, resolve, reject))
  return body[0] === 0x1f && body[1] === 0x8b ? inflate(body, limits.maxBytes) : body
}

/** Bodies under way. One timer looks after all of them: a timer for each would cost more than reading it. */
const readings = new Set<Reading>()
let underWayBytes = 0
let sweeper: NodeJS.Timeout | null = null

function sweep(): void {
  const now = performance.now()
  for (const reading of readings) reading.expire(now)
  if (readings.size > 0 || !sweeper) return
  clearInterval(sweeper)
  sweeper = null
}

class Reading {
  readonly #req: IncomingMessage
  readonly #limits: BodyLimits
  readonly #resolve: (body: Buffer) => void
  readonly #reject: (error: AppError) => void
  readonly #deadline: number
  readonly #parts: Buffer[] = []
  #size = 0
  #done = false

  constructor(
    req: IncomingMessage,
    limits: BodyLimits,
    resolve: (body: Buffer) => void,
    reject: (error: AppError) => void,
  ) {
    this.#req = req
    this.#limits = limits
    this.#resolve = resolve
    this.#reject = reject
    this.#deadline = performance.now() + limits.timeoutMs
    readings.add(this)
    sweeper ??= setInterval(sweep, SWEEP_MS).unref()
    req.on('data', this.#onData)
    req.on('end', this.#onEnd)
    req.on('error', this.#onGone)
    req.on('close', this.#onGone)
  }

  expire(now: number): void {
    if (now >= this.#deadline)
      this.#fail(new AppError('timeout', `The body did not arrive within ${this.#limits.timeoutMs} ms. Send it again.`))
  }

  readonly #onData = (part: Buffer): void => {
    if (this.#done) return
    const { maxBytes } = this.#limits
    const size = this.#size + part.length
    if (size > maxBytes) return void this.#fail(tooLarge(maxBytes))
    const isRoom = underWayBytes + part.length <= Math.max(MAX_UNDER_WAY_BYTES, 4 * maxBytes)
    if (!isRoom && size > SMALL_BYTES) return void this.#fail(tooMuchAtOnce())
    this.#parts.push(part)
    this.#size = size
    underWayBytes += part.length
  }

  readonly #onEnd = (): void => {
    if (!this.#finish()) return
    const [first] = this.#parts
    this.#resolve(first && this.#parts.length === 1 ? first : Buffer.concat(this.#parts, this.#size))
  }

  readonly #onGone = (): void => {
    if (this.#finish())
      this.#reject(new AppError('invalid_input', 'The connection closed before the body was complete.'))
  }

  #fail(error: AppError): void {
    if (!this.#finish()) return
    // The request may go on for long, and has this in its hands until it ends.
    this.#parts.length = 0
    drain(this.#req)
    this.#reject(error)
  }

  #finish(): boolean {
    if (this.#done) return false
    this.#done = true
    readings.delete(this)
    underWayBytes -= this.#size
    return true
  }
}

function inflate(body: Buffer, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gunzip(body, { maxOutputLength: maxBytes }, (error, inflated) => {
      if (!error) resolve(inflated)
      else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') reject(tooLarge(maxBytes))
      else
        reject(
          new AppError(
            'invalid_input',
            'The body starts like gzip but cannot be inflated. Send it plain or as valid gzip.',
          ),
        )
    })
  })
}

function drain(req: IncomingMessage): void {
  let size = 0
  req.on('error', () => {})
  req.on('data', (part: Buffer) => {
    size += part.length
    if (size > MAX_DRAINED_BYTES) req.destroy()
  })
  req.resume()
}

function tooMuchAtOnce(): AppError {
  return new AppError(
    'rate_limited',
    'Too many large bodies are on their way to this server. Send the request again later, or fewer events at once.',
    { retryAfterSeconds: 1 + Math.floor(Math.random() * 5) },
  )
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('too_large', `The body is larger than ${maxBytes} bytes. Send fewer events at once.`)
}
