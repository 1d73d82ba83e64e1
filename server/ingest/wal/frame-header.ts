import { crc32 } from 'node:zlib'

/**
 * A frame on disk: a header of 32 bytes, the payload, zeros up to the next multiple of 8. All numbers little-endian.
 *
 *    0  u32  magic
 *    4  u32  crc32 of bytes 8..31
 *    8  u32  length of the payload
 *   12  u32  crc32 of the payload
 *   16  u32  events in it
 *   20  u32  reserved, 0
 *   24  u64  receivedAt, epoch ms
 *
 * The header has a checksum of its own, so that a damaged payload can be stepped over by its length. Checksums start
 * from the segment's salt: bytes in a payload that look like a frame are none.
 */
export const FRAME_HEADER_BYTES = 32
const MAGIC = 0x31464c57
const ALIGN = 8

export interface FrameHeader {
  length: number
  events: number
  receivedAt: number
  payloadCrc: number
}

/** Bytes a payload of this length takes in a segment. */
export function frameBytes(length: number): number {
  return Math.ceil((FRAME_HEADER_BYTES + length) / ALIGN) * ALIGN
}

/** Writes the frame at `at`; the buffer must have zeros after it. Returns the end of the frame. */
export function writeFrame(
  buffer: Buffer,
  at: number,
  payload: Uint8Array,
  header: { events: number; receivedAt: number },
  salt: number,
): number {
  buffer.writeUInt32LE(MAGIC, at)
  buffer.writeUInt32LE(payload.length, at + 8)
  buffer.writeUInt32LE(crc32(payload, salt), at + 12)
  buffer.writeUInt32LE(header.events, at + 16)
  buffer.writeUInt32LE(0, at + 20)
  buffer.writeBigUInt64LE(BigInt(header.receivedAt), at + 24)
  buffer.writeUInt32LE(crc32(buffer.subarray(at + 8, at + FRAME_HEADER_BYTES), salt), at + 4)
  buffer.set(payload, at + FRAME_HEADER_BYTES)
  return at + frameBytes(payload.length)
}

/** The header at `at`; null where there is none or its checksum does not hold. */
export function readFrameHeader(buffer: Buffer, at: number, salt: number): FrameHeader | null {
  if (at + FRAME_HEADER_BYTES > buffer.length || buffer.readUInt32LE(at) !== MAGIC) return null
  if (buffer.readUInt32LE(at + 4) !== crc32(buffer.subarray(at + 8, at + FRAME_HEADER_BYTES), salt)) return null
  return {
    length: buffer.readUInt32LE(at + 8),
    payloadCrc: buffer.readUInt32LE(at + 12),
    events: buffer.readUInt32LE(at + 16),
    receivedAt: Number(buffer.readBigUInt64LE(at + 24)),
  }
}

export function payloadHolds(header: FrameHeader, payload: Uint8Array, salt: number): boolean {
  return payload.length === header.length && crc32(payload, salt) === header.payloadCrc
}

/** The next place at or after `at` where a header holds; null when there is none in the buffer. */
export function findFrame(buffer: Buffer, at: number, salt: number): number | null {
  for (let next = Math.ceil(at / ALIGN) * ALIGN; next + FRAME_HEADER_BYTES <= buffer.length; next += ALIGN)
    if (readFrameHeader(buffer, next, salt)) return next
  return null
}
