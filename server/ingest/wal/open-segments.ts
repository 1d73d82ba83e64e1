import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { LogFile, LogFiles } from './files.ts'
import { FRAME_HEADER_BYTES } from './frame-header.ts'
import { isUnreadable, readPages } from './read-pages.ts'
import { findSalt } from './salt.ts'
import {
  isZero,
  later,
  parseSegmentFileName,
  readHeadBlock,
  readSegmentHead,
  SEGMENT_START,
  type SegmentContent,
  type SegmentName,
  saltOf,
  segmentFileName,
  ZEROS,
} from './segment.ts'
import { type Measured, measure, type Segment, untouched } from './segments.ts'

/** A sector is written as a whole or not at all. */
const SECTOR = 512
/** More than the order of arrival gets on in events that came after the last note. */
const UNNOTED_MS = 1000

/** A file of which nothing can be read any more, or not even opened. */
export interface Unreadable {
  path: string
  /** As far as it still says, at least one. */
  events: number
}

export interface OpenedSegments {
  segments: Segment[]
  unreadable: Unreadable[]
  /** Those that end in the middle of a commit that nobody was told of. */
  torn: string[]
}

/**
 * The segments of a folder in order. One that was not sealed is read through to learn what it holds. A file that was
 * being made when the process died has no frames and is removed; one of which no frame can be found any more is told of.
 */
export async function openSegments(files: LogFiles, folder: string): Promise<OpenedSegments> {
  const names = (await files.list(folder)).map(parseSegmentFileName).filter((name) => name !== null)
  names.sort((a, b) => a.epoch - b.epoch || a.seq - b.seq)
  const opened: OpenedSegments = { segments: [], unreadable: [], torn: [] }
  for (const name of names) {
    const path = join(folder, segmentFileName(name))
    const file = await files.open(path, 'read').catch((error: unknown) => {
      if (isUnreadable(error)) return null
      throw error
    })
    const found = file ? await openSegment(file, path, name) : { lost: 1 }
    if ('segment' in found) {
      opened.segments.push(found.segment)
      if (found.isTorn) opened.torn.push(path)
      continue
    }
    await file?.close()
    if (found.lost > 0) opened.unreadable.push({ path, events: found.lost })
    else await files.remove(path)
  }
  return opened
}

/** What a segment's file holds (its first block can be given as it was read), or how many events were lost with it: 0 for one that never held any. */
export async function openSegment(
  file: LogFile,
  path: string,
  name: SegmentName,
  block?: Buffer,
): Promise<{ segment: Segment; isTorn: boolean } | { lost: number }> {
  const size = await file.size()
  const head = readSegmentHead(block ?? (await readHeadBlock(file)), path)
  const { noted, sealed } = head
  const salt = head.id === null ? await findSalt(file, size) : saltOf(head.id)
  if (salt === null) {
    const hadBytes = (await lastByteAfter(file, SEGMENT_START, size)) !== null
    return { lost: sealed?.events ?? noted?.events ?? (hadBytes ? 1 : 0) }
  }
  // The id is only for the ids of batches that are cut from now on; those that were cut have theirs in the checkpoint.
  const identity = { ...name, id: head.id ?? randomUUID(), salt, path, file }
  const state = { ...untouched, isDamaged: head.isDamaged }
  if (sealed) return { segment: { ...identity, ...state, ...sealed }, isTorn: false }
  const measured = await measure(identity, SEGMENT_START, size)
  const { content, isTorn, ...more } = await judge(file, size, measured, noted)
  const segment = { ...identity, ...state, ...content, ...more, isDamaged: state.isDamaged || more.isDamaged }
  return { segment, isTorn }
}

/**
 * Tells a commit that a crash cut, of which nobody was told, from damage. What another commit followed, or was noted,
 * was safe once. In the last one a crash leaves sectors that were never written; damage does not.
 */
async function judge(file: LogFile, size: number, measured: Measured, noted: SegmentContent | null) {
  const { frames, oldestAt } = measured
  const latestAt = later(measured.latestAt, noted?.latestAt == null ? null : noted.latestAt + UNNOTED_MS)
  const certain = Math.max(measured.certain, noted?.end ?? 0)
  let { end, events } = measured
  let tornFrom = Number.POSITIVE_INFINITY
  for (const gap of measured.gaps) {
    if (gap.from < certain || !(await hasUnwritten(file, gap.from, gap.end))) continue
    tornFrom = Math.min(tornFrom, gap.from)
    events -= gap.events ?? 1
  }
  const last = await lastByteAfter(file, end, size)
  const lostAtEnd = Math.max(0, (noted?.events ?? 0) - events)
  let isTorn = tornFrom < Number.POSITIVE_INFINITY
  let isDamaged = false
  // What was noted beyond the last frame is met as damage when it is read.
  if (noted && noted.end > end) events += Math.max(lostAtEnd, 1)
  else if (last !== null) {
    isDamaged = await hadFrame(file, end)
    isTorn ||= !isDamaged
    // Nothing tells how much it was.
    if (isDamaged) events += 1
  }
  end = Math.max(end, Math.min(noted?.end ?? 0, size))
  return { content: { end, frames, events, oldestAt, latestAt }, isTorn, tornFrom, isDamaged }
}

/** Whether the header of a frame was written here as a whole, though it does not hold any more. */
async function hadFrame(file: LogFile, at: number): Promise<boolean> {
  const start = Buffer.alloc(4)
  const count = await readPages(file, start, at)
  // A frame begins with no zero; a single other byte among zeros is what became of none.
  const isWritten = count === start.length && start.filter((byte) => byte === 0).length < 3
  return isWritten && !(await hasUnwritten(file, at, at + FRAME_HEADER_BYTES))
}

/** Whether a sector between two offsets, or the part of one, is as it was before anything was written. */
async function hasUnwritten(file: LogFile, from: number, to: number): Promise<boolean> {
  for (let start = from; start < to; ) {
    // Ends with a sector, so that none is taken for two.
    const end = Math.min(to, start + ZEROS.length - (start % SECTOR))
    const bytes = Buffer.alloc(end - start)
    const count = await readPages(file, bytes, start)
    if (count < bytes.length) return true
    for (let at = 0; at < count; ) {
      const next = Math.min(count, at + SECTOR - ((start + at) % SECTOR))
      if (isZero(bytes.subarray(at, next))) return true
      at = next
    }
    start = end
  }
  return false
}

/** Where the last byte is that was written after an offset; null where there is none. */
async function lastByteAfter(file: LogFile, from: number, size: number): Promise<number | null> {
  const buffer = Buffer.alloc(ZEROS.length)
  let last: number | null = null
  for (let at = from; at < size; ) {
    const part = buffer.subarray(0, Math.min(buffer.length, size - at))
    const count = await readPages(file, part, at)
    if (count === 0) break
    const bytes = part.subarray(0, count)
    if (!isZero(bytes)) last = at + bytes.findLastIndex((byte) => byte !== 0)
    at += count
  }
  return last
}
