import type { Place } from './checkpoint.ts'
import { MAX_COMMIT_BYTES } from './group-commit.ts'
import { SEGMENT_START } from './segment.ts'
import { isBefore, readSegment, type Segment } from './segments.ts'
import type { Frame } from './wal.ts'

/** How much to read at once, and who is told of frames whose checksums do not hold. */
export interface RangeBounds {
  events: number
  bytes: number
  onDamage: (segment: Segment, frames: number) => void
}

/** Frames from one place on, over segments, up to `to` or the bounds; at least one if there is any. */
export async function readRange(
  segments: readonly Segment[],
  { from, to }: { from: Place; to: Place | null },
  bounds: RangeBounds,
): Promise<{ frames: Frame[]; events: number; to: Place }> {
  const frames: Frame[] = []
  let { events, bytes } = bounds
  let at = from
  for (const segment of segments) {
    if (isBefore({ ...segment, offset: segment.end }, from)) continue
    // The segment where it ends may be gone: it could not be read, or nothing was in it.
    if (to !== null && isBefore(to, { ...segment, offset: SEGMENT_START })) break
    const isFirst = segment.epoch === from.epoch && segment.seq === from.seq
    const isLast = to !== null && segment.epoch === to.epoch && segment.seq === to.seq
    const end = isLast ? to.offset : segment.end
    at = { epoch: segment.epoch, seq: segment.seq, offset: isFirst ? from.offset : SEGMENT_START }
    while (at.offset < end) {
      const read = await readSegment(segment, at.offset, end, {
        events,
        bytes: Math.min(bytes, MAX_COMMIT_BYTES),
        atLeastOne: frames.length === 0,
      })
      let { damaged, next } = read
      if (read.frames.length === 0 && next === at.offset && damaged === 0) {
        if (await readsOn(segment, at.offset, end)) return { frames, events: bounds.events - events, to: at }
        // Committed bytes that are no frame any more, up to the end.
        damaged = 1
        next = end
      }
      if (damaged > 0) bounds.onDamage(segment, damaged)
      for (const frame of read.frames) {
        frames.push(frame)
        events -= frame.events
        bytes -= frame.payload.length
      }
      at.offset = next
      if (frames.length > 0 && (events <= 0 || bytes <= 0)) return { frames, events: bounds.events - events, to: at }
    }
    if (isLast) break
  }
  return { frames, events: bounds.events - events, to: at }
}

/** Whether a good frame begins here, so that only the bounds stopped the reading. */
async function readsOn(segment: Segment, from: number, to: number): Promise<boolean> {
  const { frames } = await readSegment(segment, from, to, { events: 1, bytes: 1, atLeastOne: true })
  return frames.length > 0
}
