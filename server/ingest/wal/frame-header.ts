import { crc32 } from 'node:zlib'

/**
 * A frame on disk: a header of 32 bytes, the payload, zeros up to the next multiple of 8. All numbers little-endian.
 *
 *    0  u32  magic
 *    4  u32  crc32 of bytes 8..31
 *    8  u32  length of the payload
 *   12  u32  crc32 of the payload
 *   16  u32  events in it
 *   20  u32  events before it in its segment, plus 1 (0: not told, by an earlier version); the highest bit is set for the
 *            first frame of a commit, which is only begun when the one before it is safe
 *   24  u64  receivedAt, epoch ms
 *
 * The header has a checksum of its own, so that a damaged payload can be stepped over by its length. Checksums start
 * from the segment's salt: bytes in a payload that look like a frame are none.
 */
export const FRAME_HEADER_BYTES = 32
const MAGIC = 0x31464c57
export const FRAME_ALIGN = 8

export interface FrameHeader {
  length: number
  events: number
  receivedAt: number
  payloadCrc: number
  /** Events before it in its segment; null where an earlier version wrote it. */
  before: number | null
  startsCommit: boolean
}

const STARTS_COMMIT = 0x80000000

/** Bytes a payload of this length takes in a segment. */
export function frameBytes(length: number): number {
  return Math.ceil((FRAME_HEADER_BYTES + length) / FRAME_ALIGN) * FRAME_ALIGN
}

/** Writes the frame at `at`; the buffer must have zeros after it. Returns the end of the frame. */
export function writeFrame(
  buffer: Buffer,
  at: number,
  payload: Uint8Array,
  header: { events: number; receivedAt: number; before: number; startsCommit: boolean },
  salt: number,
): number {
  buffer.writeUInt32LE(MAGIC, at)
  buffer.writeUInt32LE(payload.length, at + 8)
  buffer.writeUInt32LE(crc32(payload, salt), at + 12)
  buffer.writeUInt32LE(header.events, at + 16)
  buffer.writeUInt32LE((header.startsCommit ? STARTS_COMMIT : 0) + header.before + 1, at + 20)
  buffer.writeBigUInt64LE(BigInt(header.receivedAt), at + 24)
  buffer.writeUInt32LE(crc32(buffer.subarray(at + 8, at + FRAME_HEADER_BYTES), salt), at + 4)
  buffer.set(payload, at + FRAME_HEADER_BYTES)
  return at + frameBytes(payload.length)
}

/** The header at `at`, also where one bit of it is another than was written; null where there is none or too little of it. */
export function readFrameHeader(buffer: Buffer, at: number, salt: number): FrameHeader | null {
  if (at + FRAME_HEADER_BYTES > buffer.length) return null
  const bytes = buffer.subarray(at, at + FRAME_HEADER_BYTES)
  const whole = headerHolds(bytes, salt) ? bytes : repaired(bytes, salt)
  if (!whole) return null
  const told = whole.readUInt32LE(20) % STARTS_COMMIT
  return {
    length: whole.readUInt32LE(8),
    payloadCrc: whole.readUInt32LE(12),
    events: whole.readUInt32LE(16),
    receivedAt: Number(whole.readBigUInt64LE(24)),
    before: told === 0 ? null : told - 1,
    startsCommit: whole.readUInt32LE(20) >= STARTS_COMMIT,
  }
}

function headerHolds(bytes: Buffer, salt: number): boolean {
  return bytes.readUInt32LE(0) === MAGIC && bytes.readUInt32LE(4) === crc32(bytes.subarray(8), salt)
}

/** A header that holds with one bit turned back. Any other bytes pass for one with a chance of one in 2^56. */
function repaired(bytes: Buffer, salt: number): Buffer | null {
  const wrong = (bytes.readUInt32LE(0) ^ MAGIC) >>> 0
  if ((wrong & (wrong - 1)) !== 0) return null
  const copy = Buffer.from(bytes)
  for (let bit = 0; bit < FRAME_HEADER_BYTES * 8; bit++) {
    copy[bit >> 3]! ^= 1 << (bit & 7)
    if (headerHolds(copy, salt)) return copy
    copy[bit >> 3]! ^= 1 << (bit & 7)
  }
  return null
}

/** The salt with which the header at `at` holds; null where none begins. */
export function saltOfHeader(buffer: Buffer, at: number): number | null {
  if (at + FRAME_HEADER_BYTES > buffer.length || buffer.readUInt32LE(at) !== MAGIC) return null
  return crcBefore(buffer.readUInt32LE(at + 4), buffer.subarray(at + 8, at + FRAME_HEADER_BYTES))
}

/** From what a CRC-32 was started to become this over these bytes. */
function crcBefore(crc: number, bytes: Uint8Array): number {
  let state = ~crc
  for (let at = bytes.length - 1; at >= 0; at--) {
    const index = BY_HIGH_BYTE[state >>> 24]!
    state = ((state ^ CRC_TABLE[index]!) << 8) | (index ^ bytes[at]!)
  }
  return ~state >>> 0
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let entry = byte
  for (let bit = 0; bit < 8; bit++) entry = entry & 1 ? (entry >>> 1) ^ 0xedb88320 : entry >>> 1
  return entry
})
const BY_HIGH_BYTE = Uint8Array.from(CRC_TABLE)
for (const [index, entry] of CRC_TABLE.entries()) BY_HIGH_BYTE[entry >>> 24] = index

export function payloadHolds(header: FrameHeader, payload: Uint8Array, salt: number): boolean {
  return payload.length === header.length && crc32(payload, salt) === header.payloadCrc
}

/** The next place at or after `at` where a header holds; null when there is none in the buffer. */
export function findFrame(buffer: Buffer, at: number, salt: number): number | null {
  for (
    let next = Math.ceil(at / FRAME_ALIGN) * FRAME_ALIGN;
    next + FRAME_HEADER_BYTES <= buffer.length;
    next += FRAME_ALIGN
  )
    if (headerHolds(buffer.subarray(next, next + FRAME_HEADER_BYTES), salt)) return next
  return null
}
