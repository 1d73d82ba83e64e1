import { join } from 'node:path'
import type { Place } from './checkpoint.ts'
import type { LogFile, LogFiles } from './files.ts'
import { FRAME_HEADER_BYTES, readFrameHeader } from './frame-header.ts'
import {
  formatSegment,
  parseSegmentFileName,
  type ReadBounds,
  type ReadFrames,
  readFrames,
  readSegmentLabel,
  SEGMENT_START,
  type SegmentContent,
  type SegmentName,
  saltOf,
  segmentFileName,
  ZEROS,
} from './segment.ts'

/** A segment whose frames may still be wanted. `end` is where what may be read ends: for the one being written, the last commit. */
export interface Segment extends SegmentName, SegmentContent {
  id: string
  salt: number
  path: string
  file: LogFile
  /** Frames stepped over because their checksums do not hold. */
  damaged: number
}

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
      damaged: 0,
    }
  } catch (error) {
    await file.close()
    // Out of space half-way: what is there helps nobody.
    await files.remove(path).catch(() => {})
    throw error
  }
}

/**
 * The segments of a folder in order. One that was not sealed is read through to learn what it holds; bytes after its
 * last good frame are the torn tail of a commit that nobody was told of (`torn`). A file whose label
 * does not hold was being made when the process died; it has no frames, unless it was damaged: it is kept as *.damaged.
 */
export async function openSegments(
  files: LogFiles,
  folder: string,
): Promise<{ segments: Segment[]; unreadable: string[]; torn: string[] }> {
  const names = (await files.list(folder)).map(parseSegmentFileName).filter((name) => name !== null)
  names.sort((a, b) => a.epoch - b.epoch || a.seq - b.seq)
  const segments: Segment[] = []
  const unreadable: string[] = []
  const torn: string[] = []
  for (const name of names) {
    const path = join(folder, segmentFileName(name))
    const file = await files.open(path, 'read')
    const label = await readSegmentLabel(file, path)
    if (!label) {
      const holdsSomething = await hasBytes(file, 0)
      await file.close()
      if (holdsSomething) {
        await files.rename(path, `${path}.damaged`)
        unreadable.push(path)
      } else await files.remove(path)
      continue
    }
    const empty: SegmentContent = { end: SEGMENT_START, frames: 0, events: 0, oldestAt: null }
    const segment: Segment = {
      ...name,
      id: label.id,
      salt: saltOf(label.id),
      path,
      file,
      damaged: 0,
      ...(label.content ?? empty),
    }
    if (!label.content) {
      const { damaged: _, ...content } = await measure(segment, SEGMENT_START, await file.size())
      Object.assign(segment, content)
      if (await hasBytes(file, segment.end)) torn.push(path)
    }
    segments.push(segment)
  }
  return { segments, unreadable, torn }
}

async function hasBytes(file: LogFile, from: number): Promise<boolean> {
  const buffer = Buffer.alloc(ZEROS.length)
  for (let at = from; ; ) {
    const count = await file.read(buffer, at)
    if (count === 0) return false
    // By memcmp: looking at each byte of 64 MB here took a start a sixth of a second.
    if (!buffer.subarray(0, count).equals(ZEROS.subarray(0, count))) return true
    at += count
  }
}

/** What lies between two offsets of a segment. */
export async function measure(
  segment: Segment,
  from: number,
  to: number,
): Promise<SegmentContent & { damaged: number }> {
  const sum = { end: from, frames: 0, events: 0, oldestAt: null as number | null, damaged: 0 }
  while (sum.end < to) {
    const read = await readSegment(segment, sum.end, to, {
      events: Number.MAX_SAFE_INTEGER,
      bytes: READ_BYTES,
      atLeastOne: true,
    })
    for (const frame of read.frames) {
      sum.frames++
      sum.events += frame.events
      sum.oldestAt ??= frame.receivedAt
    }
    sum.damaged += read.damaged
    if (read.next === sum.end) break
    sum.end = read.next
  }
  return sum
}

/** Frames of a segment from an offset, within the bounds but at least one; `next` === `from` when there are none up to `to`. */
export async function readSegment(segment: Segment, from: number, to: number, bounds: ReadBounds): Promise<ReadFrames> {
  const left = to - from
  // Asked only what comes next, a megabyte would be read after every batch for one number.
  const first = bounds.bytes === 1 ? FIRST_BYTES : READ_BYTES
  for (let size = Math.min(left, first); ; ) {
    const buffer = Buffer.allocUnsafe(size)
    const count = await segment.file.read(buffer, from)
    const bytes = buffer.subarray(0, count)
    const read = readFrames(bytes, from, segment.salt, bounds)
    if (read.frames.length > 0 || read.next > from || size >= left || count < size) return read
    const header = readFrameHeader(bytes, 0, segment.salt)
    const frameSize = header ? FRAME_HEADER_BYTES + header.length : size * 2
    // A frame that was there as a whole was left out by the bounds: reading it again would not change that.
    if (frameSize <= size) return read
    // One frame larger than the buffer, or a damaged stretch longer than it.
    size = Math.min(left, frameSize)
  }
}

export function isBefore(a: Place, b: Place): boolean {
  if (a.epoch !== b.epoch) return a.epoch < b.epoch
  return a.seq === b.seq ? a.offset < b.offset : a.seq < b.seq
}
