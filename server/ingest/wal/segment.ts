import { randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { AppError } from '../../errors.ts'
import type { LogFile } from './files.ts'
import {
  FRAME_HEADER_BYTES,
  type FrameHeader,
  findFrame,
  frameBytes,
  payloadHolds,
  readFrameHeader,
} from './frame-header.ts'
import { readPages } from './read-pages.ts'
import type { Frame } from './wal.ts'

/**
 * A segment file: one block of 4096 bytes (what it is, twice; what it held when it was last noted; once sealed, what it
 * holds), then frames, then zeros that were written when it was made, because syncing an overwrite costs half as much as
 * syncing an append.
 */
export const SEGMENT_START = 4096
const VERSION = 1
const MAGIC = 'VERITAS-LOG'
const LABELS_AT = [0, 512]
const NOTE_AT = 1024
const SEAL_AT = 2048
/** What a segment is made of, a megabyte of it. */
export const ZEROS = Buffer.alloc(1024 * 1024)

/** Order of segments: the owner's generation, then the count within it. */
export interface SegmentName {
  epoch: number
  seq: number
}

export function segmentFileName({ epoch, seq }: SegmentName): string {
  return `${String(epoch).padStart(8, '0')}-${String(seq).padStart(8, '0')}.seg`
}

/** Null for files that are no segments. */
export function parseSegmentFileName(name: string): SegmentName | null {
  const match = /^(\d{8,})-(\d{8,})\.seg$/.exec(name)
  if (!match) return null
  const segment = { epoch: Number(match[1]), seq: Number(match[2]) }
  // Written in another way it would be opened under a name that is not there.
  return segmentFileName(segment) === name ? segment : null
}

/** What a segment holds between SEGMENT_START and end. */
export interface SegmentContent {
  end: number
  frames: number
  events: number
  /** receivedAt of the first frame. */
  oldestAt: number | null
  /** The latest arrivedAt of all frames; earlier versions do not tell. */
  latestAt?: number | null
}

/** The later of two moments of which there may be none. */
export function later(a: number | null | undefined, b: number | null | undefined): number | null {
  return a == null ? (b ?? null) : b == null ? a : Math.max(a, b)
}

interface SegmentLabel {
  magic: string
  version: number
  /** Random: a batch id made of it is unique even when a log folder is deleted and begun anew. */
  id: string
}

/** Zeros to the full size, then the label, then a sync. Returns the segment's id. */
export async function formatSegment(file: LogFile, bytes: number): Promise<string> {
  for (let at = 0; at < bytes; at += ZEROS.length)
    await file.write(ZEROS.subarray(0, Math.min(ZEROS.length, bytes - at)), at)
  const label: SegmentLabel = { magic: MAGIC, version: VERSION, id: randomUUID() }
  for (const at of LABELS_AT) await file.write(encodeBlock(label), at)
  await file.sync()
  return label.id
}

/** Writes down what the segment holds, so that a start need not read it. Not synced: without it the frames are read. */
export async function sealSegment(file: LogFile, content: SegmentContent): Promise<void> {
  await file.write(encodeBlock(content), SEAL_AT)
}

/**
 * Writes down what the segment holds so far, which is at least that much from then on. Not synced and of no need: after
 * a kill it tells a commit that was cut from one that was damaged.
 */
export async function noteSegment(file: LogFile, content: SegmentContent): Promise<void> {
  await file.write(encodeBlock(content), NOTE_AT)
}

/** What the first block of a segment says. */
export interface SegmentHead {
  /** null where no label holds: a crash while it was made, or damage. */
  id: string | null
  /** Whether the labels are not as they were written. */
  isDamaged: boolean
  noted: SegmentContent | null
  sealed: SegmentContent | null
}

/** Reads the first block of a segment. Throws AppError for a version this program does not know. */
export function readSegmentHead(block: Buffer, path: string): SegmentHead {
  const found = LABELS_AT.map((at) => decodeBlock<SegmentLabel>(block, at)).filter((label) => label?.magic === MAGIC)
  const label = found[0]
  if (label && label.version > VERSION)
    throw new AppError(
      'unavailable',
      `${path} was written by a newer version of Veritas (log version ${label.version}, this one reads ${VERSION}). Start that version again, or let it store what waits first.`,
    )
  return {
    id: label?.id ?? null,
    // Earlier versions wrote one label; where the second should be they left zeros.
    isDamaged:
      !decodeBlock(block, LABELS_AT[0]!) || (found.length < 2 && !isZero(block.subarray(LABELS_AT[1], NOTE_AT))),
    noted: decodeBlock<SegmentContent>(block, NOTE_AT),
    sealed: decodeBlock<SegmentContent>(block, SEAL_AT),
  }
}

/** The first block of a segment as it is on the disk. */
export async function readHeadBlock(file: LogFile): Promise<Buffer> {
  const block = Buffer.alloc(SEGMENT_START)
  await readPages(file, block, 0)
  return block
}

/** Up to a megabyte of bytes that were never written to since the segment was made. */
export function isZero(bytes: Buffer): boolean {
  // By memcmp: looking at each byte of 64 MB took a start a sixth of a second.
  return bytes.equals(ZEROS.subarray(0, bytes.length))
}

/** What the checksums of a segment's frames start from. */
export function saltOf(segmentId: string): number {
  return crc32(segmentId)
}

/** u32 length, u32 crc32, JSON. */
export function encodeBlock(value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value))
  const block = Buffer.alloc(8 + json.length)
  block.writeUInt32LE(json.length, 0)
  block.writeUInt32LE(crc32(json), 4)
  json.copy(block, 8)
  return block
}

/** Null where the checksum does not hold. */
export function decodeBlock<T>(buffer: Buffer, at: number): T | null {
  if (at + 8 > buffer.length) return null
  const length = buffer.readUInt32LE(at)
  if (length === 0 || at + 8 + length > buffer.length) return null
  const json = buffer.subarray(at + 8, at + 8 + length)
  return buffer.readUInt32LE(at + 4) === crc32(json) ? (JSON.parse(json.toString('utf8')) as T) : null
}

export interface PlacedFrame extends Frame {
  from: number
  /** Offset of the first byte after it. */
  end: number
  /** As in its header. */
  before: number | null
  startsCommit: boolean
}

/** Bytes that are no frame any more. */
export interface Gap {
  from: number
  end: number
  /** Of the frame that was there, where that still holds. */
  header: FrameHeader | null
}

export interface ReadFrames {
  frames: PlacedFrame[]
  /** Where to read on. */
  next: number
  /** What was stepped over because its checksums do not hold. */
  gaps: Gap[]
  /** The frame at `next`, where it is a good one that the bounds left out. */
  left?: FrameHeader
}

/** How much to read. */
export interface ReadBounds {
  events: number
  bytes: number
  /** Whether the first frame may be larger than the bounds; else nothing would ever be read of it. */
  atLeastOne: boolean
}

/**
 * Frames of the buffer, which holds the segment's bytes from `base` on. Damaged frames are stepped over: by their
 * length where their header holds, else to the next header that does.
 */
export function readFrames(buffer: Buffer, base: number, salt: number, bounds: ReadBounds): ReadFrames {
  const result: ReadFrames = { frames: [], next: base, gaps: [] }
  let { events, bytes } = bounds
  let at = 0
  while (at + FRAME_HEADER_BYTES <= buffer.length) {
    const header = readFrameHeader(buffer, at, salt)
    if (!header) {
      const found = findFrame(buffer, at + 8, salt)
      // Nothing after it: the zeros at the end, a torn tail, or the rest of a frame that begins in this buffer.
      if (found === null) break
      result.gaps.push({ from: base + at, end: base + found, header: null })
      at = found
      result.next = base + at
      continue
    }
    const payloadAt = at + FRAME_HEADER_BYTES
    if (payloadAt + header.length > buffer.length) break
    const end = at + frameBytes(header.length)
    const payload = buffer.subarray(payloadAt, payloadAt + header.length)
    if (!payloadHolds(header, payload, salt)) result.gaps.push({ from: base + at, end: base + end, header })
    else {
      const fits = header.events <= events && header.length <= bytes
      if (!fits && (result.frames.length > 0 || !bounds.atLeastOne)) {
        result.left = header
        break
      }
      events -= header.events
      bytes -= header.length
      const { receivedAt, before, startsCommit } = header
      result.frames.push({
        receivedAt,
        events: header.events,
        payload,
        from: base + at,
        end: base + end,
        before,
        startsCommit,
      })
    }
    at = end
    result.next = base + at
  }
  return result
}
