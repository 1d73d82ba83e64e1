import type { Place } from './checkpoint.ts'
import { MAX_COMMIT_BYTES } from './group-commit.ts'
import { SEGMENT_START } from './segment.ts'
import { isBefore, readSegment, type Segment } from './segments.ts'
import type { Frame } from './wal.ts'

/** How much to read at once. */
export interface RangeBounds {
  events: number
  bytes: number
}

export interface ReadRange {
  frames: Frame[]
  events: number
  to: Place
  /** What of it came from each segment that was read, and how often something there did not hold. */
  parts: { segment: Segment; events: number; damaged: number }[]
  /** When the frame behind it was received, where it was seen. */
  nextReceivedAt: number | null
}

/** Frames from one place on, over segments, up to `to` or the bounds; at least one if there is any. */
export async function readRange(
  segments: readonly Segment[],
  { from, to }: { from: Place; to: Place | null },
  bounds: RangeBounds,
): Promise<ReadRange> {
  const range: ReadRange = { frames: [], events: 0, to: from, parts: [], nextReceivedAt: null }
  let { events, bytes } = bounds
  for (const segment of segments) {
    if (isBefore({ ...segment, offset: segment.end }, from)) continue
    // The segment where it ends may be gone: it could not be read, or nothing was in it.
    if (to !== null && isBefore(to, { ...segment, offset: SEGMENT_START })) break
    const isFirst = segment.epoch === from.epoch && segment.seq === from.seq
    const isLast = to !== null && segment.epoch === to.epoch && segment.seq === to.seq
    const end = isLast ? to.offset : segment.end
    const at = { epoch: segment.epoch, seq: segment.seq, offset: isFirst ? from.offset : SEGMENT_START }
    range.to = at
    const part = { segment, events: 0, damaged: 0 }
    range.parts.push(part)
    while (at.offset < end) {
      const read = await readSegment(segment, at.offset, end, {
        events,
        bytes: Math.min(bytes, MAX_COMMIT_BYTES),
        atLeastOne: range.frames.length === 0,
      })
      const { left } = read
      const gaps = read.gaps.map((gap) => gap.from)
      let { next } = read
      if (read.frames.length === 0 && next === at.offset && gaps.length === 0 && !left) {
        // Committed bytes that are no frame any more, up to the end.
        gaps.push(at.offset)
        next = end
      }
      part.damaged += gaps.filter((gap) => gap < segment.tornFrom).length
      for (const frame of read.frames) {
        range.frames.push(frame)
        range.events += frame.events
        part.events += frame.events
        events -= frame.events
        bytes -= frame.payload.length
      }
      at.offset = next
      // Read once more, it would still be left out.
      const isFull = left !== undefined && (left.events > events || left.length > bytes)
      if (range.frames.length > 0 && (isFull || events <= 0 || bytes <= 0)) {
        range.nextReceivedAt = left?.receivedAt ?? null
        return range
      }
    }
    if (isLast) break
  }
  return range
}
