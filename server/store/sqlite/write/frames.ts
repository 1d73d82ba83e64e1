import { giveBack } from '../../../give-back.ts'
import type { FrameBatch, StoredEvent } from '../../store.ts'
import { type PackedBatch, packBatch } from './pack.ts'

/** Frames as they go to the writer thread: all their bytes in one piece, since a view would take its whole buffer along. */
export interface PackedFrames {
  id: string
  bytes: Uint8Array<ArrayBuffer>
  /** Where each frame ends in the bytes. */
  ends: Float64Array
  receivedAt: Float64Array
  events: Float64Array
}

export function packFrames({ id, frames }: FrameBatch): PackedFrames {
  let size = 0
  const ends = Float64Array.from(frames, ({ payload }) => {
    size += payload.length
    return size
  })
  const bytes = new Uint8Array(size)
  for (const [index, { payload }] of frames.entries()) bytes.set(payload, ends[index]! - payload.length)
  return {
    id,
    bytes,
    ends,
    receivedAt: Float64Array.from(frames, (frame) => frame.receivedAt),
    events: Float64Array.from(frames, (frame) => frame.events),
  }
}

/** What server/ingest/frame.ts reads out of a frame. */
export type DecodeFrame = (frame: { receivedAt: number; events: number; payload: Buffer }) => {
  events: StoredEvent[]
  unreadable: { event: unknown; reason: string }[]
}

export interface DecodedFrames {
  batch: PackedBatch
  events: StoredEvent[]
  unreadable: { event: unknown; reason: string }[]
}

/** In the thread: events and, as columns, what the store makes of them. */
export function decodeFrames(
  { id, bytes, ends, receivedAt, events: counts }: PackedFrames,
  decode: DecodeFrame,
): DecodedFrames {
  const all: StoredEvent[] = []
  const unread: DecodedFrames['unreadable'] = []
  let start = 0
  for (let index = 0; index < ends.length; index++) {
    const payload = Buffer.from(bytes.buffer, bytes.byteOffset + start, ends[index]! - start)
    start = ends[index]!
    const { events, unreadable } = decode({ receivedAt: receivedAt[index]!, events: counts[index]!, payload })
    for (const event of events) all.push(event)
    for (const each of unreadable) unread.push(each)
  }
  // Everything of them is in the events by now.
  giveBack(bytes)
  return { batch: packBatch({ id, events: all }), events: all, unreadable: unread }
}
