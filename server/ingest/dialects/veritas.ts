import { isUtf8 } from 'node:buffer'
import { AppError } from '../../errors.ts'

/** What a request holds, before any event is looked at. */
export interface Envelope {
  events: unknown[]
  /** The write key, where the body carries it. */
  writeKey: string | null
  /** Whether its bytes are UTF-8. Where they are not, U+FFFD stands for them. */
  isUtf8: boolean
  /** Fields beside "batch" that nothing reads, by name. */
  notKept: string[]
}

const EXPECTED = 'Send one event, an array of events, or {"batch": [events]} as JSON'

/**
 * Our own form of a request: one event, an array, or {batch, sentAt?}. Throws AppError invalid_input for anything else.
 * Pure, so that the writer reads from the log exactly what the door read.
 */
export function readVeritas(body: Buffer): Envelope {
  let value: unknown
  try {
    const text = body.toString('utf8')
    value = JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text)
  } catch {
    throw new AppError('invalid_input', `The body is ${body.length === 0 ? 'empty' : 'not valid JSON'}. ${EXPECTED}.`)
  }
  const plain = { isUtf8: isUtf8(body), notKept: [] }
  if (Array.isArray(value)) return { ...plain, events: value, writeKey: null }
  if (typeof value !== 'object' || value === null)
    throw new AppError('invalid_input', `The body is ${value === null ? 'null' : `a ${typeof value}`}. ${EXPECTED}.`)
  if (!('batch' in value) || isEventWithBatch(value)) return { ...plain, events: [value], writeKey: keyIn(value) }
  if (!Array.isArray(value.batch))
    throw new AppError('invalid_input', 'batch must be an array of events.', { field: 'batch' })
  const notKept = Object.keys(value).filter((name) => !['batch', 'sentAt', 'writeKey', 'api_key'].includes(name))
  return { ...plain, events: value.batch, writeKey: keyIn(value), notKept }
}

function keyIn(value: object): string | null {
  const key = 'writeKey' in value ? value.writeKey : 'api_key' in value ? value.api_key : null
  return typeof key === 'string' && key !== '' ? key : null
}

/**
 * Whether this is one event that has a field of its own called batch: it says what happened to whom, and no entry of the
 * field is an event.
 */
function isEventWithBatch(value: { batch: unknown }): boolean {
  const { type, userId, anonymousId } = value as Record<string, unknown>
  if (typeof type !== 'string' || (userId === undefined && anonymousId === undefined)) return false
  const entries: unknown[] = Array.isArray(value.batch) ? value.batch : []
  return !entries.some((entry) => typeof entry === 'object' && entry !== null && 'type' in entry)
}
