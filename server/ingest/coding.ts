import type { IncomingMessage } from 'node:http'
import type { Transform } from 'node:stream'
import {
  constants,
  crc32,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  type ZlibOptions,
} from 'node:zlib'
import { AppError } from '../errors.ts'

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
 * The inflated body. `grow` hears its size before each piece is kept, with all there is so far, and stops the rest by
 * throwing. Throws AppError invalid_input for what cannot be inflated.
 */
export async function inflate(
  body: Buffer,
  coding: Coding,
  grow: (size: number, soFar: () => Buffer) => void | Promise<void>,
): Promise<Buffer> {
  try {
    return await pump(decoderOf(body, coding), body, grow)
  } catch (error) {
    if (error instanceof AppError) throw error
    const whole = coding === 'gzip' ? await withoutTrailer(body, grow) : body
    if (whole.length < body.length) return inflate(whole, coding, grow)
    throw new AppError(
      'invalid_input',
      `The body ${coding === 'gzip' ? 'starts like' : 'is said to be'} ${coding} but cannot be inflated. Send it plain or as valid ${coding}.`,
    )
  }
}

/** What the first bytes of a body inflate to, as far as one piece goes; empty where they cannot be inflated. */
export async function inflateHead(start: Buffer, coding: Coding): Promise<Buffer> {
  // What is cut off is no error.
  const finishFlush = coding === 'br' ? constants.BROTLI_OPERATION_FLUSH : constants.Z_SYNC_FLUSH
  const decoder = decoderOf(start, coding, { chunkSize: HEAD_BYTES, finishFlush })
  decoder.end(start)
  try {
    for await (const part of decoder) return part as Buffer
  } catch {
    // Told when all of it is read.
  }
  return Buffer.alloc(0)
}

const HEAD_BYTES = 16 * 1024
const PIECE_BYTES = 64 * 1024

function decoderOf(body: Buffer, coding: Coding, options: ZlibOptions = { chunkSize: PIECE_BYTES }): Transform {
  if (coding === 'gzip') return createGunzip(options)
  if (coding === 'br') return createBrotliDecompress(options)
  // Some clients leave out the two bytes that the name asks for.
  const isWrapped = body.length > 1 && (body[0]! & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0
  return isWrapped ? createInflate(options) : createInflateRaw(options)
}

type Grow = Parameters<typeof inflate>[2]

async function pump(decoder: Transform, body: Buffer, grow: Grow): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  decoder.end(body)
  for await (const part of decoder) {
    size += (part as Buffer).length
    parts.push(part as Buffer)
    await grow(size, () => Buffer.concat(parts, size))
  }
  return Buffer.concat(parts, size)
}

/**
 * A gzip without what follows it, where that is no further gzip: tools add line ends and signatures. The same bytes
 * where there is nothing to cut off.
 */
async function withoutTrailer(body: Buffer, grow: Grow): Promise<Buffer> {
  const start = headerEnd(body)
  if (start === null) return body
  const decoder = createInflateRaw({ chunkSize: PIECE_BYTES })
  let inflated: Buffer
  try {
    inflated = await pump(decoder, body.subarray(start), grow)
  } catch (error) {
    if (error instanceof AppError) throw error
    return body
  }
  const end = start + decoder.bytesWritten
  if (body.length <= end + TRAILER_BYTES || isGzip(body.subarray(end + TRAILER_BYTES))) return body
  const isWhole = body.readUInt32LE(end) === crc32(inflated) && body.readUInt32LE(end + 4) === inflated.length
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
