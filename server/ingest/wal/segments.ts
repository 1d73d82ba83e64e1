import { join } from 'node:path'
import type { Place } from './checkpoint.ts'
import type { LogFile, LogFiles } from './files.ts'
import { FRAME_ALIGN, FRAME_HEADER_BYTES, readFrameHeader } from './frame-header.ts'
import { readPages } from './read-pages.ts'
import {
  formatSegment,
  later,
  type ReadBounds,
  type ReadFrames,
  readFrames,
  SEGMENT_START,
  type SegmentContent,
  type SegmentName,
  saltOf,
  segmentFileName,
} from './segment.ts'

/** A segment whose frames may still be wanted. `end` is where what may be read ends: for the one being written, the last commit. */
export interface Segment extends SegmentName, SegmentContent {
  id: string
  salt: number
  path: string
  file: LogFile
  /** Of its events, those that were handed out or counted as lost. */
  taken: number
  /** Frames, or runs of bytes, that were stepped over because their checksums do not hold. */
  damaged: number
  /** Whether it is kept aside when it is done with. */
  isDamaged: boolean
  /** From here on nobody was told of anything: what does not hold there was cut by a crash. */
  tornFrom: number
}

/** Of a segment that holds and of which nothing was handed out. */
export const untouched = { taken: 0, damaged: 0, isDamaged: false, tornFrom: Number.POSITIVE_INFINITY }

const READ_BYTES = 1024 * 1024
/** Enough for nearly every frame; a larger one is read once its header is known. */
const FIRST_BYTES = 64 * 1024

/** Makes a segment of zeros that survives a power cut, also by name. */
export async function createSegment(
  files: LogFiles,
  folder: string,
  name: SegmentName,
  bytes: number,
): Promise<Segment> {
  const path = join(folder, segmentFileName(name))
  const file = await files.open(path, 'create')
  try {
    const id = await formatSegment(file, bytes)
    await files.syncFolder(folder)
    return {
      ...name,
      id,
      salt: saltOf(id),
      path,
      file,
      end: SEGMENT_START,
      frames: 0,
      events: 0,
      oldestAt: null,
      ...untouched,
    }
  } catch (error) {
    await file.close()
    // Out of space half-way: what is there helps nobody.
    await files.remove(path).catch(() => {})
    throw error
  }
}

/** What was measured between two offsets of a segment. */
export interface Measured {
  /** After the last frame whose header holds. */
  end: number
  /** Good ones. */
  frames: number
  /** Events in them, and in those that were lost. */
  events: number
  oldestAt: number | null
  /** Of the good ones, as far as their receivedAt tells. */
  latestAt: number | null
  /** Bytes that are no frame any more, with the events that were in them; null where nothing tells. */
  gaps: { from: number; end: number; events: number | null }[]
  /** Up to where everything is known to be committed: another commit began after it. */
  certain: number
}

/** What lies between two offsets of a segment. */
export async function measure(segment: Pick<Segment, 'file' | 'salt'>, from: number, to: number): Promise<Measured> {
  const sum: Measured = { end: from, frames: 0, events: 0, oldestAt: null, latestAt: null, gaps: [], certain: from }
  let before = from === SEGMENT_START ? 0 : null
  while (sum.end < to) {
    const read = await readSegment(segment, sum.end, to, {
      events: Number.MAX_SAFE_INTEGER,
      bytes: READ_BYTES,
      atLeastOne: true,
    })
    const parts = [...read.frames, ...read.gaps].sort((a, b) => a.from - b.from)
    for (const part of parts) {
      const header = 'payload' in part ? part : part.header
      const gap = sum.gaps.at(-1)
      // What is missing between two frames was in the gap between them.
      if (gap && gap.events === null && header && header.before !== null && before !== null)
        gap.events = header.before - before
      if (header?.startsCommit) sum.certain = part.from
      before = header === null ? before : header.before === null ? null : header.before + header.events
      if (!('payload' in part)) {
        sum.gaps.push({ from: part.from, end: part.end, events: part.header?.events ?? null })
        continue
      }
      sum.frames++
      sum.events += part.events
      sum.oldestAt ??= part.receivedAt
      sum.latestAt = later(sum.latestAt, part.receivedAt + 1)
    }
    if (read.next === sum.end) break
    sum.end = read.next
  }
  for (const { events } of sum.gaps) sum.events += events ?? 1
  return sum
}

/** Frames of a segment from an offset, within the bounds but at least one; `next` === `from` when there are none up to `to`. */
export async function readSegment(
  segment: Pick<Segment, 'file' | 'salt'>,
  from: number,
  to: number,
  bounds: ReadBounds,
): Promise<ReadFrames> {
  // Asked only what comes next, a megabyte would be read after every batch for one number.
  let size = bounds.bytes === 1 ? FIRST_BYTES : READ_BYTES
  for (let at = from; ; ) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(size, to - at))
    const count = await readPages(segment.file, buffer, at)
    const bytes = buffer.subarray(0, count)
    const read = readFrames(bytes, at, segment.salt, bounds)
    const header = readFrameHeader(bytes, 0, segment.salt)
    const isFound = read.frames.length > 0 || read.next > at || (header !== null && at > from)
    if (isFound) return at === from ? read : behind(from, at, read)
    if (read.left) return read
    if (at + count >= to || count < buffer.length) return { frames: [], next: from, gaps: [] }
    if (!header) {
      // A damaged stretch longer than the buffer: gone over in steps, however long it is.
      at += count - (count % FRAME_ALIGN) - FRAME_HEADER_BYTES
      size = READ_BYTES
      continue
    }
    size = FRAME_HEADER_BYTES + header.length
  }
}

/** What was read behind a damaged stretch that began at `from`. */
function behind(from: number, at: number, read: ReadFrames): ReadFrames {
  const [first, ...others] = read.gaps
  if (first && first.from === at && first.header === null) return { ...read, gaps: [{ ...first, from }, ...others] }
  return { ...read, gaps: [{ from, end: at, header: null }, ...read.gaps] }
}

export function isBefore(a: Place, b: Place): boolean {
  if (a.epoch !== b.epoch) return a.epoch < b.epoch
  return a.seq === b.seq ? a.offset < b.offset : a.seq < b.seq
}
