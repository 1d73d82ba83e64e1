import { createHash } from 'node:crypto'
import type { Trust } from '../../trpc/schema/common.ts'
import { eventSeq, type StoredEvent } from '../store/store.ts'
import type { Turns } from '../turns.ts'
import { type Envelope, readVeritas } from './dialects/veritas.ts'
import { readEvent } from './validate.ts'
import type { Frame } from './wal/wal.ts'

/** What the door decided about a request, kept beside the raw bytes that it decided on. */
export interface FrameHeader {
  /** Frames of version 1 have neither it nor the two fields after it. */
  version: typeof FRAME_VERSION
  /** Place of the request's first event in the order of arrival; the others follow it. */
  seq: number
  /** What the sender's key makes of its events. */
  trust: Trust
  siteId: string
  /** Ids made by the server, by the event's place in the request. */
  ids: Record<number, string>
  /** Places of refused events. */
  refused: number[]
}

export const FRAME_VERSION = 2

const NEWLINE = 0x0a

/** The header as one line of JSON, then the body just as it came (inflated). */
export function encodeFrame(header: FrameHeader, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body])
}

/** Events between two looks at the clock. */
const EVENTS_PER_LOOK = 32

/** What a frame came to. */
export interface DecodedFrame {
  /** In the order of the request. */
  events: StoredEvent[]
  /** What the door accepted and this version would refuse, with its reason: never silently left out. */
  unreadable: { event: unknown; reason: string }[]
}

type RawFrame = Pick<Frame, 'receivedAt' | 'events' | 'payload'>

/** The accepted events of a frame; a large frame gives others their turns. Never throws. */
export async function decodeFrame(frame: RawFrame, turns: Turns): Promise<DecodedFrame> {
  const decoding = decode(frame)
  for (;;) {
    const step = decoding.next()
    if (step.done) return step.value
    const turn = turns()
    if (turn) await turn
  }
}

/** The same in one go, for a thread that answers nobody else. */
export function decodeFrameAtOnce(frame: RawFrame): DecodedFrame {
  const decoding = decode(frame)
  for (;;) {
    const step = decoding.next()
    if (step.done) return step.value
  }
}

/** Stops now and then, to be gone on with. */
function* decode(frame: RawFrame): Generator<void, DecodedFrame> {
  try {
    return yield* decodeEvents(frame)
  } catch (error) {
    return unreadableFrame(frame, error)
  }
}

function* decodeEvents({ payload, receivedAt }: RawFrame): Generator<void, DecodedFrame> {
  const split = payload.indexOf(NEWLINE)
  const header = readHeader(payload.toString('utf8', 0, split), receivedAt)
  const envelope: Envelope = readVeritas(payload.subarray(split + 1))
  const refused = new Set(header.refused)
  const decoded: DecodedFrame = { events: [], unreadable: [] }
  for (let index = 0; index < envelope.events.length; index++) {
    if (index % EVENTS_PER_LOOK === 0) yield
    if (refused.has(index)) continue
    const raw = envelope.events[index]
    const reading = readEvent(raw, receivedAt, envelope.isUtf8)
    if ('refusal' in reading) {
      // With the id that the door gave it: of two that are alike each is a dead letter of its own.
      const eventId = header.ids[index]
      const event = eventId === undefined || typeof raw !== 'object' ? raw : { ...raw, eventId }
      decoded.unreadable.push({ event, reason: reading.refusal.details })
      continue
    }
    const { event } = reading
    decoded.events.push({
      eventId: event.eventId ?? header.ids[index]!,
      siteId: header.siteId,
      userId: event.userId,
      sessionId: event.sessionId,
      type: event.type,
      payload: event.payload,
      occurredAt: event.occurredAt ?? receivedAt,
      receivedAt,
      seq: header.seq + index,
      trust: header.trust,
      issues: event.issues,
    })
  }
  return decoded
}

/** Events of frames without trust were all counted as their shop's own. */
function readHeader(line: string, receivedAt: number): FrameHeader {
  const header = JSON.parse(line) as Omit<FrameHeader, 'version'> & { version?: number }
  if (header.version === undefined)
    return { ...header, version: FRAME_VERSION, seq: eventSeq(receivedAt, 0), trust: 'verified' }
  if (header.version !== FRAME_VERSION) throw new Error(`it is of version ${header.version}, which is newer`)
  return header as FrameHeader
}

/** A frame that nobody can read any more: each of its events is told of, the first with all bytes there are. */
function unreadableFrame({ payload, events, receivedAt }: RawFrame, error: unknown): DecodedFrame {
  const reason = `The request in the log cannot be read: ${error instanceof Error ? error.message : String(error)}`
  // Told apart from others of the same moment: equal letters are one.
  const digest = createHash('sha256').update(payload).digest('hex')
  const unreadable = Array.from({ length: events }, (_, index) => ({
    event: index === 0 ? { receivedAt, events, base64: payload.toString('base64') } : { receivedAt, index, digest },
    reason,
  }))
  return { events: [], unreadable }
}
