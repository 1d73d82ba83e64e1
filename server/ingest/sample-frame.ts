import { eventSeq } from '../store/store.ts'
import { encodeFrame, FRAME_VERSION, type FrameHeader } from './frame.ts'
import type { Frame } from './wal/wal.ts'

/** A request as the door puts it into the log; whatever matters to a test is in `over`. */
export function sampleFrame(
  body: unknown,
  over: Partial<FrameHeader> & { receivedAt?: number; events?: number } = {},
): Frame {
  const { receivedAt = Date.now(), events = Array.isArray(body) ? body.length : 1, ...header } = over
  const payload = encodeFrame(
    {
      version: FRAME_VERSION,
      seq: eventSeq(receivedAt, 0),
      trust: 'verified',
      siteId: 'default',
      ids: {},
      refused: [],
      ...header,
    },
    Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  )
  return { receivedAt, events, payload }
}
