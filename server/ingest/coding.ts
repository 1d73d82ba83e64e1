import type { IncomingMessage } from 'node:http'
import type { Transform } from 'node:stream'
import { promisify } from 'node:util'
import {
  brotliDecompress,
  brotliDecompressSync,
  constants,
  crc32,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  type ZlibOptions,
} from 'node:zlib'
import { AppError } from '../errors.ts'
import { createGate } from './gate.ts'

export type Coding = 'gzip' | 'deflate' | 'br'

const named: Readonly<Record<string, Coding | null>> = {
  '': null,
  identity: null,
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'br',
}

/** What the headers say of the body. Throws AppError unsupported_media that names what is read. */
export function namedCoding({ headers }: IncomingMessage): Coding | null {
  const name = (headers['content-encoding'] ?? '').trim().toLowerCase()
  const coding = Object.hasOwn(named, name) ? named[name] : undefined
  if (coding === undefined)
    throw new AppError(
      'unsupported_media',
      `Content-Encoding ${JSON.stringify(name.slice(0, 40))} is not read here. Send the body plain, or as gzip, deflate or br.`,
    )
  return coding
}

/** gzip is known by its first bytes, since clients send it under any name and send plain text as gzip. */
export function codingOf(body: Uint8Array, name: Coding | null): Coding | null {
  if (isGzip(body)) return 'gzip'
  return name === 'gzip' ? null : name
}

function isGzip(body: Uint8Array): boolean {
  return body[0] === 0x1f && body[1] === 0x8b
}

/**
 * The inflated body, null when it has more than so many bytes; at once, on whatever thread asks, and no slower than a few
 * ms for a megabyte but for br. Throws AppError invalid_input for what cannot be inflated.
 */
export function inflate(body: Buffer, coding: Coding, maxBytes: number): Buffer | null {
  try {
    return decode(body, coding, maxBytes).buffer
  } catch (error) {
    if (isTooMuch(error)) return null
    const whole = coding === 'gzip' ? withoutTrailer(body, maxBytes) : body
    if (whole === null || whole.length < body.length) return whole && inflate(whole, coding, maxBytes)
    throw cannotInflate(coding)
  }
}

/** Of br, 23 bytes are 5 ms of work however little is wanted, so it is done on a thread of Node's, one after another. */
const aside = createGate(1, 100)
const brotliAside = promisify<Buffer, ZlibOptions, Buffer>(brotliDecompress)

/** The same for the loop that answers everybody. Throws AppError rate_limited when too much br is on its way as well. */
export async function inflateAside(body: Buffer, coding: Coding, maxBytes: number): Promise<Buffer | null> {
  if (coding !== 'br') return inflate(body, coding, maxBytes)
  const leave = await aside.enter()
  try {
    return await brotliAside(body, { maxOutputLength: maxBytes })
  } catch (error) {
    if (isTooMuch(error)) return null
    throw cannotInflate(coding)
  } finally {
    leave()
  }
}

/** The first bytes of what a body inflates to: so many, or all there are; fewer where they cannot be inflated. */
export async function inflateHead(start: Buffer, coding: Coding, bytes: number): Promise<Buffer> {
  const head = coding === 'br' ? null : headAtOnce(start, coding, bytes)
  if (head) return head
  const leave = await aside.enter()
  try {
    return await firstPiece(start, coding)
  } finally {
    leave()
  }
}

/** Of a little of the body first: a bomb has enough in its first bytes. null where it cannot be told like that. */
function headAtOnce(start: Buffer, coding: Coding, bytes: number): Buffer | null {
  try {
    for (let length = 64; ; length *= 4) {
      const head = decode(start.subarray(0, length), coding, MAX_HEAD_BYTES, {
        finishFlush: constants.Z_SYNC_FLUSH,
        chunkSize: HEAD_BYTES,
      })
      if (head.buffer.length >= bytes || length >= start.length) return head.buffer
    }
  } catch {
    return null
  }
}

function firstPiece(start: Buffer, coding: Coding): Promise<Buffer> {
  // What is cut off is no error.
  const finishFlush = coding === 'br' ? constants.BROTLI_OPERATION_FLUSH : constants.Z_SYNC_FLUSH
  const decoder = headDecoder(start, coding, { chunkSize: HEAD_BYTES, finishFlush })
  return new Promise((resolve) => {
    const end = (head?: Buffer) => {
      resolve(head ?? Buffer.alloc(0))
      decoder.destroy()
    }
    // What is wrong with it is told when all of it is read.
    decoder.on('error', () => end())
    decoder.once('data', end).once('end', () => end())
    decoder.end(start)
  })
}

const HEAD_BYTES = 16 * 1024
/** A byte of deflate is at most 1032. */
const MAX_HEAD_BYTES = 128 * 1024
const PIECE_BYTES = 64 * 1024

function headDecoder(body: Buffer, coding: Coding, options: ZlibOptions): Transform {
  if (coding === 'gzip') return createGunzip(options)
  if (coding === 'br') return createBrotliDecompress(options)
  return isWrapped(body) ? createInflate(options) : createInflateRaw(options)
}

/** Some clients leave out the two bytes that "deflate" asks for. */
function isWrapped(body: Buffer): boolean {
  return body.length > 1 && (body[0]! & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0
}

/** What was inflated, and of how many bytes. */
interface Decoded {
  buffer: Buffer
  engine: { bytesWritten: number }
}

function decode(body: Buffer, coding: Coding | 'raw', maxBytes: number, more: ZlibOptions = {}): Decoded {
  // In one piece where it may be large, of which only what is written to takes memory: pieces would be garbage beside it.
  const chunkSize = maxBytes > PIECE_BYTES ? maxBytes + 1 : Math.min(8 * 1024, Math.max(1024, maxBytes))
  const options = { maxOutputLength: maxBytes, info: true, chunkSize, ...more }
  const inflated =
    coding === 'gzip'
      ? gunzipSync(body, options)
      : coding === 'br'
        ? brotliDecompressSync(body, options)
        : coding === 'deflate' && isWrapped(body)
          ? inflateSync(body, options)
          : inflateRawSync(body, options)
  return inflated as unknown as Decoded
}

function isTooMuch(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
}

function cannotInflate(coding: Coding): AppError {
  return new AppError(
    'invalid_input',
    `The body ${coding === 'gzip' ? 'starts like' : 'is said to be'} ${coding} but cannot be inflated. Send it plain or as valid ${coding}.`,
  )
}

/**
 * A gzip without what follows it, where that is no further gzip: tools add line ends and signatures. The same bytes
 * where there is nothing to cut off; null when it inflates to more than so many bytes.
 */
function withoutTrailer(body: Buffer, maxBytes: number): Buffer | null {
  const start = headerEnd(body)
  if (start === null) return body
  let inflated: Decoded
  try {
    inflated = decode(body.subarray(start), 'raw', maxBytes)
  } catch (error) {
    return isTooMuch(error) ? null : body
  }
  const { buffer, engine } = inflated
  const end = start + engine.bytesWritten
  if (body.length <= end + TRAILER_BYTES || isGzip(body.subarray(end + TRAILER_BYTES))) return body
  const isWhole = body.readUInt32LE(end) === crc32(buffer) && body.readUInt32LE(end + 4) === buffer.length
  return isWhole ? body.subarray(0, end + TRAILER_BYTES) : body
}

const TRAILER_BYTES = 8
const FLAG = { crc: 2, extra: 4, name: 8, comment: 16 }

/** Where the header of a gzip ends (RFC 1952); null where it is not whole. */
function headerEnd(body: Buffer): number | null {
  let at = 10
  const flags = body[3] ?? 0
  if (flags & FLAG.extra) at += 2 + (at + 2 <= body.length ? body.readUInt16LE(at) : 0)
  for (const flag of [FLAG.name, FLAG.comment])
    if (flags & flag) {
      const end = body.indexOf(0, at)
      if (end === -1) return null
      at = end + 1
    }
  if (flags & FLAG.crc) at += 2
  return at < body.length ? at : null
}
