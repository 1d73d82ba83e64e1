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
  /** Fields of the request beside its events that nothing reads. */
  notKept: string[]
}

/** Of the names of fields that are not kept. */
const MAX_NAMES = 10
const MAX_NAME = 64

/** Above this many events only those that are not ok are listed. */
const MAX_LISTED = 100

/** The counts and verdicts of a request; ok, success, status and code are what other products' clients look for. */
function outcomeBody({ received, eventIds, verdicts, notKept }: IngestOutcome): object {
  const listed = received > MAX_LISTED ? verdicts.filter(([, verdict]) => verdict.result !== 'ok') : verdicts
  return {
    received,
    accepted: eventIds.length,
    rejected: received - eventIds.length,
    ...(notKept.length > 0 && { notKept: notKept.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_NAME)) }),
    results: Object.fromEntries(listed),
  }
}

/** The answer 202 to a request. */
export function acceptedText(outcome: IngestOutcome): string {
  return JSON.stringify({
    ok: true,
    success: true,
    status: 1,
    code: 200,
    message: 'Events accepted for processing',
    count: outcome.eventIds.length,
    eventIds: outcome.eventIds,
    ...outcomeBody(outcome),
  })
}

/** The answer 400 to a request of which nothing could be accepted. */
export function refusedText(why: string, outcome: IngestOutcome): string {
  return JSON.stringify(errorBody(new AppError('invalid_input', why), outcomeBody(outcome)))
}
