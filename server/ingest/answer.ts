import type { ServerResponse } from 'node:http'
import type { Verdict } from '../../trpc/schema/event.ts'
import { AppError, errorStatus } from '../errors.ts'
import { waitsForReader } from './body.ts'
import { drain } from './drain.ts'

const titles: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  417: 'Expectation Failed',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  sendText(res, status, JSON.stringify(body))
}

/** The same for what is JSON already. */
export function sendText(res: ServerResponse, status: number, text: string): void {
  if (res.headersSent || res.destroyed) return
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  })
  if (res.req === undefined || res.req.complete || waitsForReader(res.req)) res.end(text)
  else endOnceRead(res, text)
}

/** How long the rest of a body that was answered already may take. */
const LINGER_MS = 10_000

/**
 * The answer at once, its end when the client has sent all: a connection that closes while bytes are on their way is
 * reset, and the client never sees what it was told.
 */
function endOnceRead(res: ServerResponse, text: string): void {
  const { req } = res
  res.write(text)
  const end = () => {
    clearTimeout(timer)
    res.end()
  }
  const timer = setTimeout(() => {
    end()
    req.socket.destroy()
  }, LINGER_MS).unref()
  req.once('end', end).once('close', end)
  drain(req)
}

/** The refusal of a method, with the header that names those which are taken ("GET, HEAD"). */
export function methodNotAllowed(res: ServerResponse, allow: string, message: string): AppError {
  res.setHeader('allow', allow)
  return new AppError('method_not_allowed', message)
}

/** The one error body of the ingest address. The text of our own failures stays inside. */
export function sendError(res: ServerResponse, error: unknown, extra: object = {}): void {
  const known = error instanceof AppError ? error : new AppError('internal', 'The server failed to take the events.')
  const status = errorStatus[known.code].status
  if (res.req && waitsForReader(res.req) && !res.headersSent) res.setHeader('connection', 'close')
  const retryAfter = known.retryAfterSeconds
  if (retryAfter !== undefined && !res.headersSent) res.setHeader('retry-after', retryAfter)
  sendJson(res, status, errorBody(known, extra))
}

function errorBody({ status, message, field, retryAfterSeconds }: AppError, extra: object): object {
  return {
    ok: false,
    error: titles[status] ?? 'Error',
    message,
    ...(field !== undefined && { field }),
    ...(retryAfterSeconds !== undefined && { retryAfter: retryAfterSeconds }),
    ...extra,
  }
}

export interface IngestOutcome {
  received: number
  eventIds: string[]
  verdicts: [key: string, verdict: Verdict][]
  /** The places of the events that were refused. */
  refused: readonly number[]
  /** Fields of the request beside its events that nothing reads. */
  notKept: string[]
}

/** Of the names of fields that are not kept. */
const MAX_NAMES = 10
const MAX_NAME = 64

/** Above this many events only those that are not ok are listed. */
const MAX_LISTED = 100

/** What the answer says beside ids and verdicts. */
const OTHER_BYTES = 8 * 1024
/** Of the rest, for ids; verdicts get what these leave. */
const IDS_SHARE = 0.75

/** What is listed of an outcome, all of it or as much as fits. */
interface Listed {
  eventIds: readonly string[]
  verdicts: readonly [string, Verdict][]
  /** Where not all is listed: how much is not, and which events were refused, by their places. */
  cut?: { notListed: { eventIds: number; results: number }; rejectedPlaces: readonly number[] }
}

/** The counts and verdicts of a request; ok, success, status and code are what other products' clients look for. */
function outcomeBody({ received, eventIds, notKept }: IngestOutcome, { verdicts, cut }: Listed): object {
  return {
    received,
    accepted: eventIds.length,
    rejected: received - eventIds.length,
    ...(notKept.length > 0 && { notKept: notKept.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_NAME)) }),
    ...cut,
    results: Object.fromEntries(verdicts),
  }
}

/** The answer 202 to a request, of no more than about so many bytes. */
export function acceptedText(outcome: IngestOutcome, maxBytes: number): string {
  return bounded(outcome, maxBytes, (listed) => ({
    ok: true,
    success: true,
    status: 1,
    code: 200,
    message: 'Events accepted for processing',
    count: outcome.eventIds.length,
    eventIds: listed.eventIds,
    ...outcomeBody(outcome, listed),
  }))
}

/** The answer 400 to a request of which nothing could be accepted, of no more than about so many bytes. */
export function refusedText(why: string, outcome: IngestOutcome, maxBytes: number): string {
  const error = new AppError('invalid_input', why)
  return bounded(outcome, maxBytes, (listed) => errorBody(error, outcomeBody(outcome, listed)))
}

function bounded(outcome: IngestOutcome, maxBytes: number, body: (listed: Listed) => object): string {
  const { received, eventIds, verdicts: all } = outcome
  const verdicts = received > MAX_LISTED ? all.filter(([, { result }]) => result !== 'ok') : all
  const whole = JSON.stringify(body({ eventIds, verdicts }))
  if (whole.length * 3 <= maxBytes || Buffer.byteLength(whole) <= maxBytes) return whole
  return JSON.stringify(body(cutTo(maxBytes, outcome, verdicts)))
}

/** Ids of the first events, then verdicts of refused events, then remarks; the places of all that were refused. */
function cutTo(maxBytes: number, outcome: IngestOutcome, verdicts: readonly [string, Verdict][]): Listed {
  const rejectedPlaces = outcome.refused
  const left = maxBytes - OTHER_BYTES - bytesOf(rejectedPlaces)
  const ids = fitting(outcome.eventIds, left * IDS_SHARE)
  const isDrop = ([, { result }]: [string, Verdict]) => result === 'drop'
  const inOrder = [...verdicts.filter(isDrop), ...verdicts.filter((verdict) => !isDrop(verdict))]
  const listed = fitting(inOrder, left - ids.bytes)
  const notListed = {
    eventIds: outcome.eventIds.length - ids.items.length,
    results: verdicts.length - listed.items.length,
  }
  return { eventIds: ids.items, verdicts: listed.items, cut: { notListed, rejectedPlaces } }
}

/** The first of them that have so many bytes as JSON. */
function fitting<Item>(items: readonly Item[], maxBytes: number): { items: Item[]; bytes: number } {
  let bytes = 0
  for (const [index, item] of items.entries()) {
    const more = bytesOf(item) + 1
    if (bytes + more > maxBytes) return { items: items.slice(0, index), bytes }
    bytes += more
  }
  return { items: [...items], bytes }
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
