import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { eventLimits, type Verdict } from '../../trpc/schema/event.ts'
import { eventTypes } from '../../trpc/schema/event-types.ts'
import { AppError } from '../errors.ts'
import { countRefusal, type Telemetry, typeCounts } from '../telemetry.ts'
import type { Admission } from './admission.ts'
import { type IngestOutcome, methodNotAllowed, outcomeBody, sendAccepted, sendError } from './answer.ts'
import { createArrivals, type TakePlaces } from './arrivals.ts'
import { readBody, type Ticket } from './body.ts'
import { type Budget, type Holding, SMALL_BYTES } from './budget.ts'
import { allowOrigin, disallowOrigin, sendPreflight } from './cors.ts'
import { type Envelope, readVeritas } from './dialects/veritas.ts'
import { createTurns, encodeFrame, FRAME_VERSION, type FrameHeader } from './frame.ts'
import { createGate, type Gate } from './gate.ts'
import { createIds } from './ids.ts'
import { createKeyUses, type KeyUses } from './key-uses.ts'
import { type Keys, keyOfHead, keysOfRequest, type Sender } from './keys.ts'
import { type JsonShape, shapeOf } from './nesting.ts'
import { type EventReading, fieldsNotKept, keptText, readEvent } from './validate.ts'
import type { Wal } from './wal/wal.ts'

export interface IngestSettings {
  schemaMode: 'warn' | 'reject'
  maxBodyBytes: number
  /** The same for pk_ keys. */
  maxBrowserBodyBytes: number
  /** How much of a body is read for its key, where keys are required and neither headers nor address have one. */
  keyInBodyBytes: number
  maxEvents: number
  /** Of any kind, in all of the body. */
  maxValues: number
  /** Large bodies that are parsed at once. */
  parses: number
  bodyTimeoutMs: number
  minBytesPerSecond: number
  keyless: 'allow' | 'refuse'
  /** The first instant whose events are kept; the store refuses older ones. Everything is kept without it. */
  keptSince?: (now: number) => number
}

export interface IngestParts {
  wal: Wal
  admission: Admission
  telemetry: Telemetry
  settings: IngestSettings
  /** Where bodies count, from their first byte to the answer. */
  budget: Budget
  keys: Keys
  now: () => number
}

/** One level too many for the payload of an event in a {batch: […]}: enough to know that it is. */
const MAX_NESTING = eventLimits.nesting + 4
/** Requests that wait to be parsed. Each takes milliseconds, so those at the end wait for seconds. */
const MAX_WAITING = 100

/** What is known of a request while it is taken. */
interface Taking {
  parts: IngestParts
  keyUses: KeyUses
  takePlaces: TakePlaces
  gate: Gate
  req: IncomingMessage
  holding: Holding
  /** The limit that counts for its key. */
  maxBodyBytes: number
}

/**
 * POST /events: body -> dialect -> verdicts -> admission -> log -> 202. Answers are always JSON; a refusal says
 * whether sending again helps (docs/storefronts.md). Never throws.
 */
export function createIngestRoute(parts: IngestParts) {
  const { settings, admission, budget } = parts
  const keyUses = createKeyUses()
  const takePlaces = createArrivals()
  const gate = createGate(settings.parses, MAX_WAITING)
  return async function ingest(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (req.method === 'OPTIONS') return preflight(parts, req, res)
    allowOrigin(req, res)
    const taking: Taking = {
      parts,
      keyUses,
      takePlaces,
      gate,
      req,
      holding: budget.hold(),
      maxBodyBytes: settings.maxBodyBytes,
    }
    try {
      if (req.method !== 'POST') throw methodNotAllowed(res, 'POST, OPTIONS', 'Events are sent with POST.')
      // A request that would be refused anyway is refused before its body is read.
      // One that is too large for good is told so below, not to come back later.
      admission.admit(1, Math.min(Number(req.headers['content-length']) || 1, settings.maxBodyBytes))
      await take(taking, res)
    } catch (error) {
      refuse(taking, res, error)
    } finally {
      taking.holding.release()
    }
  }
}

async function take(taking: Taking, res: ServerResponse): Promise<void> {
  const { wal, telemetry } = taking.parts
  const { receivedAt, sender, header, body, outcome, refusedTypes } = await read(taking)
  const { eventIds, received } = outcome
  if (eventIds.length === 0) {
    countJudged(telemetry, received, refusedTypes)
    return sendError(res, new AppError('invalid_input', firstProblem(outcome.verdicts)), outcomeBody(outcome))
  }
  // At one go, so that the order of arrival is that of the log.
  const seq = taking.takePlaces(receivedAt, received)
  const trust = sender.kind === 'sk' ? 'verified' : 'claimed'
  const payload = encodeFrame({ version: FRAME_VERSION, seq, trust, siteId: sender.siteId, ...header }, body)
  await wal.append({ receivedAt, events: eventIds.length, payload })
  countJudged(telemetry, received, refusedTypes)
  sendAccepted(res, outcome)
}

/** What a request came to. Of what was parsed nothing is left while it waits for the disk. */
interface Taken {
  receivedAt: number
  sender: Sender
  header: Pick<FrameHeader, 'ids' | 'refused'>
  body: Buffer
  outcome: IngestOutcome
  refusedTypes: string[]
}

async function read(taking: Taking): Promise<Taken> {
  const { settings, keys } = taking.parts
  const { req, holding } = taking
  const requestKeys = keysOfRequest(req)
  // A key of the headers is judged before the body is read; one in the body has to be read for.
  const early = requestKeys.length === 0 ? null : await keys.findFirst(requestKeys)
  const ticket = !early && settings.keyless === 'refuse' ? ticketOf(taking) : undefined
  if (early) limitTo(taking, early)
  // A key in the body is a browser's way.
  else if (ticket) taking.maxBodyBytes = settings.maxBrowserBodyBytes
  const body = await readBody(req, {
    maxBytes: taking.maxBodyBytes,
    timeoutMs: settings.bodyTimeoutMs,
    minBytesPerSecond: settings.minBytesPerSecond,
    holding,
    ...(ticket && { ticket }),
  })
  const shape = shapeOf(body, {
    depth: MAX_NESTING,
    cutDeeper: true,
    events: settings.maxEvents,
    values: settings.maxValues,
  })
  checkShape(shape, settings)
  early?.check(shape.events)
  if (body.length <= SMALL_BYTES) return understand(taking, body, shape, early)
  const leave = await taking.gate.enter()
  try {
    return await understand(taking, body, shape, early)
  } finally {
    leave()
  }
}

/** A browser asks before it posts. Of keys it tells only one in the address. */
async function preflight({ keys }: IngestParts, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const requestKeys = keysOfRequest(req)
  const sender = requestKeys.length > 0 ? await keys.findFirst(requestKeys).catch(() => null) : null
  if (sender && !sender.mayComeFrom(req.headers.origin)) return sendError(res, foreignOrigin(req))
  sendPreflight(req, res)
}

function foreignOrigin(req: IncomingMessage): AppError {
  return new AppError(
    'forbidden',
    `This key is not for pages of ${String(req.headers.origin).slice(0, MAX_NAME)}. Its owner made it for others: npm run keys -- list`,
  )
}

/**
 * The sender is known: what it may send counts. Throws AppError forbidden for a page that it is not for, rate_limited when
 * its rate is used up.
 */
function limitTo(taking: Taking, sender: Sender): void {
  const { settings } = taking.parts
  if (!sender.mayComeFrom(taking.req.headers.origin)) throw foreignOrigin(taking.req)
  if (sender.kind === 'pk') taking.maxBodyBytes = settings.maxBrowserBodyBytes
  sender.check(1)
}

/** Keys are required, and neither headers nor address have one: the beginning of the body must. */
function ticketOf(taking: Taking): Ticket {
  const { settings, keys } = taking.parts
  return {
    bytes: settings.keyInBodyBytes,
    async admit(head) {
      limitTo(taking, await keys.find(keyOfHead(head.subarray(0, settings.keyInBodyBytes))))
      return taking.maxBodyBytes
    },
  }
}

async function understand(taking: Taking, body: Buffer, shape: JsonShape, early: Sender | null): Promise<Taken> {
  const { settings, keys, admission, now } = taking.parts
  const { events, writeKey, isUtf8, notKept } = readVeritas(body)
  // Parsing cannot be interrupted; what comes after it need not add to the wait of others.
  if (body.length > LARGE_BYTES) await setImmediate()
  const sender = early ?? (await keys.find(writeKey))
  if (!early) limitTo(taking, sender)
  if (body.length > taking.maxBodyBytes)
    throw new AppError('too_large', `The body is larger than ${taking.maxBodyBytes} bytes. Send fewer events at once.`)
  checkCount(events.length, settings.maxEvents)
  const receivedAt = now()
  const mayBeTooLarge =
    events.length === 1 ? body.length > eventLimits.eventBytes : shape.largestPart > eventLimits.eventBytes
  const key = idempotencyKey(taking.req)
  const { header, verdicts, eventIds } = await judge(events, {
    mayBeTooLarge,
    sender,
    schemaMode: settings.schemaMode,
    receivedAt,
    keptSince: settings.keptSince?.(receivedAt) ?? 0,
    key,
    isUtf8,
  })
  const outcome = { received: events.length, eventIds, verdicts, notKept }
  const refusedTypes = header.refused.map((index) => catalogueType(events[index]))
  const taken = { receivedAt, sender, header, body, outcome, refusedTypes }
  if (eventIds.length === 0) return taken
  admission.admit(eventIds.length, body.length)
  const byKey = key === undefined ? [] : Object.keys(header.ids)
  if (key !== undefined && byKey.length > 0)
    await taking.keyUses.claim(
      sender.siteId,
      key,
      byKey.map((index) => [index, events[Number(index)]]),
      createTurns(TURN_MS),
    )
  sender.spend(eventIds.length)
  return taken
}

interface Judging {
  /** False when no event can be over the limit, so that none need be measured. */
  mayBeTooLarge: boolean
  sender: Sender
  schemaMode: IngestSettings['schemaMode']
  receivedAt: number
  keptSince: number
  /** The request's Idempotency-Key. */
  key: string | undefined
  isUtf8: boolean
}

/** Bodies that take several milliseconds to parse. */
const LARGE_BYTES = 512 * 1024
/** How long one request may judge events before others get a turn. */
const TURN_MS = 5

/** A verdict for every event; one bad event never costs the others. */
async function judge(
  events: Envelope['events'],
  { mayBeTooLarge, sender, schemaMode, receivedAt, keptSince, key, isUtf8 }: Judging,
) {
  const mintId = createIds(sender.siteId, key)
  const header: Pick<FrameHeader, 'ids' | 'refused'> = { ids: {}, refused: [] }
  const verdicts: [string, Verdict][] = []
  const eventIds: string[] = []
  const names = new Set<string>()
  const places = new Map<string, number>()
  const turns = createTurns(TURN_MS)
  for (const [index, raw] of events.entries()) {
    const turn = index % 64 === 63 ? turns() : undefined
    if (turn) await turn
    let reading = mayBeTooLarge && isTooLarge(raw) ? tooLarge : readEvent(raw, receivedAt, isUtf8)
    if (isBefore(reading, keptSince)) reading = notKept(keptSince)
    else if (sender.kind === 'pk' && isBefore(reading, receivedAt - eventLimits.browserPastMs)) reading = tooOld
    let verdict = verdictOf(reading, schemaMode, raw)
    if (verdict.result === 'drop' || 'refusal' in reading) {
      header.refused.push(index)
      verdicts.push([verdictName(clientId(raw), index, names), verdict])
      continue
    }
    let { eventId } = reading.event
    if (eventId === null) {
      eventId = mintId(index)
      header.ids[index] = eventId
    } else {
      const place = places.get(eventId)
      if (place === undefined) places.set(eventId, index)
      else if (keptText(events[place]) !== keptText(raw)) verdict = repeatedId(place)
    }
    eventIds.push(eventId)
    verdicts.push([verdictName(clientId(raw) ?? eventId, index, names), verdict])
  }
  return { header, verdicts, eventIds }
}

function verdictOf(reading: EventReading, schemaMode: IngestSettings['schemaMode'], raw: unknown): Verdict {
  if ('refusal' in reading) return { result: 'drop', ...reading.refusal }
  const { issues, isMendedOnly } = reading.event
  const all = fieldsNotKept(raw)
  const names = all.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_NAME).toWellFormed())
  const notKept = names.length > 0 ? { notKept: names } : {}
  const issue = issues?.[0]
  if (issue) {
    const result = schemaMode === 'reject' && !isMendedOnly ? 'drop' : 'warning'
    const code = isMendedOnly ? 'changed_value' : 'invalid_payload'
    return { result, code, path: issue.path, details: `${issue.path}: ${issue.message}`, ...notKept }
  }
  const [first] = names
  if (first === undefined) return { result: 'ok' }
  const more = all.length > MAX_NAMES ? ` and ${all.length - MAX_NAMES} more` : ''
  return {
    result: 'warning',
    code: 'unknown_field',
    path: first,
    details: `Not kept: ${names.join(', ')}${more}. What belongs to the event goes into payload.`,
    ...notKept,
  }
}

/** Of the fields that are not kept so many are named, and so much of each name. */
const MAX_NAMES = 10
const MAX_NAME = 64

function repeatedId(place: number): Verdict {
  const details = `The event at place ${place} of this request has the same eventId and is another one. Only the first is kept.`
  return { result: 'warning', code: 'repeated_id', path: 'eventId', details }
}

/** What a verdict is listed under: the id, or # and the place where another has that id, or it looks like a place. */
function verdictName(id: string | null, index: number, names: Set<string>): string {
  const name = id === null || names.has(id) || /^#\d+$/.test(id) ? `#${index}` : id
  names.add(name)
  return name
}

const tooLarge: EventReading = {
  refusal: {
    code: 'too_large',
    path: '',
    details: `What is kept of the event is larger than ${eventLimits.eventBytes} bytes. Make payload smaller.`,
  },
}

const tooOld: EventReading = {
  refusal: {
    code: 'too_old',
    path: 'occurredAt',
    details:
      'occurredAt is more than 7 days ago. Browser keys (pk_) may not write history; send it with a server key (sk_).',
  },
}

function notKept(since: number): EventReading {
  const details = `occurredAt is before ${new Date(since).toISOString().slice(0, 10)}, from which on this server keeps events.`
  return { refusal: { code: 'too_old', path: 'occurredAt', details } }
}

function isBefore(reading: EventReading, instant: number): boolean {
  if ('refusal' in reading || reading.event.occurredAt === null) return false
  return reading.event.occurredAt < instant
}

function isTooLarge(raw: unknown): boolean {
  return Buffer.byteLength(keptText(raw)) > eventLimits.eventBytes
}

/** As the event has it; empty is as good as none. */
function clientId(raw: unknown): string | null {
  if (typeof raw !== 'object' || raw === null || !('eventId' in raw)) return null
  const { eventId } = raw
  if (typeof eventId !== 'string' && typeof eventId !== 'number') return null
  return String(eventId).trim().slice(0, eventLimits.eventIdLength).toWellFormed() || null
}

function idempotencyKey(req: IncomingMessage): string | undefined {
  const key = req.headers['idempotency-key']
  return typeof key === 'string' && key !== '' ? key : undefined
}

function checkCount(count: number, maxEvents: number): void {
  if (count === 0) throw new AppError('invalid_input', 'The batch is empty. Send at least one event.')
  if (count > maxEvents)
    throw new AppError('too_large', `The request holds ${count} events; send at most ${maxEvents} at once.`)
}

function checkShape(shape: JsonShape, settings: IngestSettings): void {
  if (shape.over === 'values')
    throw new AppError('too_large', `The body holds more than ${settings.maxValues} values. Send fewer events at once.`)
  if (shape.over === 'events')
    throw new AppError(
      'too_large',
      `The request holds more than ${settings.maxEvents} events. Send at most ${settings.maxEvents} at once.`,
    )
}

function firstProblem(verdicts: [string, Verdict][]): string {
  const [, first] = verdicts[0]!
  return verdicts.length === 1
    ? (first.details ?? 'The event is not valid.')
    : `None of the ${verdicts.length} events is valid. The first: ${first.details}`
}

/** Counts the events of a request that is answered, and those refused by their type. */
function countJudged({ counters }: Telemetry, received: number, refusedTypes: readonly string[]): void {
  counters.received += received
  counters.rejected += refusedTypes.length
  for (const type of refusedTypes) typeCounts(counters, type).rejected++
}

function catalogueType(raw: unknown): string {
  const type = typeof raw === 'object' && raw !== null && 'type' in raw ? raw.type : null
  return typeof type === 'string' && Object.hasOwn(eventTypes, type) ? type : 'other'
}

function refuse({ parts, maxBodyBytes }: Taking, res: ServerResponse, error: unknown): void {
  const { telemetry, admission, settings } = parts
  const known = error instanceof AppError
  if (!known) telemetry.log.error({ err: error }, 'ingest failed')
  const status = known ? error.status : 500
  countRefusal(telemetry.counters, status, known ? error.code : 'internal')
  if (admission.draining) res.setHeader('connection', 'close')
  if (status === 403) disallowOrigin(res)
  const limits = {
    maxBodyBytes,
    maxEvents: settings.maxEvents,
    maxEventBytes: eventLimits.eventBytes,
  }
  sendError(res, error, status === 413 ? { limits } : {})
}
