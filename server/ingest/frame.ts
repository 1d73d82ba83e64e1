import { setImmediate } from 'node:timers/promises'
import { eventSeq, type StoredEvent } from '../store/store.ts'
import { type Envelope, readVeritas } from './dialects/veritas.ts'
import { readEvent } from './validate.ts'
import type { Frame } from './wal/wal.ts'

/** What the door decided about a request, kept beside the raw bytes that it decided on. */
export interface FrameHeader {
  siteId: string
  /** Ids made by the server, by the event's place in the request. */
  ids: Record<number, string>
  /** Places of refused events. */
  refused: number[]
}

const NEWLINE = 0x0a

/** The header as one line of JSON, then the body just as it came (inflated). */
export function encodeFrame(header: FrameHeader, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body])
}

/** Events between two looks at the clock. */
const EVENTS_PER_LOOK = 32

/** Waits until others had a turn, when enough was done since the last time. */
export type Turns = () => Promise<void> | undefined

/** Lets others in after each turnMs of work that asks often enough. */
export function createTurns(turnMs: number): Turns {
  let endsAt = performance.now() + turnMs
  async function pause(): Promise<void> {
    await setImmediate()
    endsAt = performance.now() + turnMs
  }
  return () => (performance.now() > endsAt ? pause() : undefined)
}

/**
 * The accepted events of a frame, in their order; a large frame gives others their turns. What the door accepted stays accepted: an event that this version
 * would refuse comes back as `unreadable` with its reason, never silently left out.
 */
export async function decodeFrame(
  frame: Frame,
  turns: Turns,
): Promise<{ events: StoredEvent[]; unreadable: { event: unknown; reason: string }[] }> {
  const split = frame.payload.indexOf(NEWLINE)
  const header = JSON.parse(frame.payload.toString('utf8', 0, split)) as FrameHeader
  const envelope: Envelope = readVeritas(frame.payload.subarray(split + 1))
  const refused = new Set(header.refused)
  const events: StoredEvent[] = []
  const unreadable: { event: unknown; reason: string }[] = []
  for (const [index, raw] of envelope.events.entries()) {
    const turn = index % EVENTS_PER_LOOK === 0 ? turns() : undefined
    if (turn) await turn
    if (refused.has(index)) continue
    const reading = readEvent(raw, frame.receivedAt)
    if ('refusal' in reading) {
      unreadable.push({ event: raw, reason: reading.refusal.details })
      continue
    }
    const { eventId, occurredAt, ...rest } = reading.event
    events.push({
      ...rest,
      eventId: eventId ?? header.ids[index]!,
      siteId: header.siteId,
      occurredAt: occurredAt ?? frame.receivedAt,
      receivedAt: frame.receivedAt,
      seq: eventSeq(frame.receivedAt, index),
    })
  }
  return { events, unreadable }
}
