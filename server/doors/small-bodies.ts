import type { IncomingMessage } from 'node:http'
import { type BodyLimits, readBody } from '../ingest/body.ts'
import type { Budget } from '../ingest/budget.ts'

/** Of a form, an account or a question; nothing that is asked but for events is larger. */
export const SMALL_BODY_BYTES = 64 * 1024

export type ReadSmallBody = (req: IncomingMessage) => Promise<Buffer>

/** Reads what people and tools send, by the rules and within the budget of the bodies of events. */
export function createSmallBodies(
  budget: Budget,
  rules: Pick<BodyLimits, 'timeoutMs' | 'minBytesPerSecond'>,
): ReadSmallBody {
  return async (req) => {
    const holding = budget.hold()
    try {
      return await readBody(req, { ...rules, maxBytes: SMALL_BODY_BYTES, holding })
    } finally {
      holding.release()
    }
  }
}

/** Whether there is a body at all. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return (headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined
}
