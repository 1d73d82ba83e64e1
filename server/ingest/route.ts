import type { IncomingMessage, ServerResponse } from 'node:http'
import { eventLimits } from '../../trpc/schema/event.ts'
import { AppError } from '../errors.ts'
import { giveBack } from '../give-back.ts'
import { countRefusal, type Telemetry, typeCounts } from '../telemetry/telemetry.ts'
import type { Admission } from './admission.ts'
import { methodNotAllowed, sendError, sendText } from './answer.ts'
import { createArrivals, type TakePlaces } from './arrivals.ts'
import { type RawBody, readRaw, type Ticket, tooLarge, unpack } from './body.ts'
import { type Budget, type Holding, SMALL_BYTES } from './budget.ts'
import { allowOrigin, disallowOrigin, sendPreflight } from './cors.ts'
import { encodeFrame, FRAME_VERSION } from './frame.ts'
import { createKeyUses, type KeyUses } from './key-uses.ts'
import { type Keys, keyOfHead, keysOfRequest, type Sender } from './keys.ts'
import type { LargeBodies, WorkedBody } from './large-bodies.ts'
import { type BodyBounds, type Judgement, OpenBody } from './open-body.ts'
import type { Refusals } from './refusals.ts'
import { createSlices, type Slices } from './slices.ts'
import type { Wal } from './wal/wal.ts'

export interface IngestSettings extends BodyBounds {
  schemaMode: 'warn' | 'reject'
  maxBodyBytes: number
  /** The same for pk_ keys. */
  maxBrowserBodyBytes: number
  /** How much of a body is read for its key, where keys are required and neither headers nor address have one. */
  keyInBodyBytes: number
  /** How long bodies may be worked on in one turn of the loop. */
  sliceMs: number
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
  largeBodies: LargeBodies
  /** When what is refused is answered. */
  refusals: Refusals
  keys: Keys
  now: () => number
}

/** Posts of an event or some. */
const LEAST_BYTES = 8 * 1024
/** Of the origin that a refusal names. */
const MAX_NAME = 64

/** What is known of a request while it is taken. */
interface Taking {
  parts: IngestParts
  keyUses: KeyUses
  takePlaces: TakePlaces
  slices: Slices
  req: IncomingMessage
  holding: Holding
  /** The limit that counts for its key. */
  maxBodyBytes: number
  /** Once it is known. */
  sender: Sender | null
  /** Unless it showed the key of a shop's own server. */
  isStranger: boolean
}

/**
 * POST /events: body -> dialect -> verdicts -> admission -> log -> 202. Answers are always JSON; a refusal says
 * whether sending again helps (docs/storefronts.md). Never throws.
 */
export function createIngestRoute(parts: IngestParts) {
  const { settings, admission, budget } = parts
  const keyUses = createKeyUses()
  const takePlaces = createArrivals(parts.wal.latestAt())
  const slices = createSlices(settings.sliceMs)
  return async function ingest(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (req.method === 'OPTIONS') return preflight(parts, req, res)
    allowOrigin(req, res)
    const taking: Taking = {
      parts,
      keyUses,
      takePlaces,
      slices,
      req,
      holding: budget.hold(),
      maxBodyBytes: settings.maxBodyBytes,
      sender: null,
      isStranger: true,
    }
    try {
      if (req.method !== 'POST') throw methodNotAllowed(res, 'POST, OPTIONS', 'Events are sent with POST.')
      // A request that would be refused anyway is refused before its body is read.
      // One that is too large for good is told so below, not to come back later.
      admission.admit(1, Math.min(Number(req.headers['content-length']) || 1, settings.maxBodyBytes))
      const refused = await take(taking, res)
      if (refused !== null) {
        await waitForTurn(taking, res, 400)
        sendText(res, 400, refused)
      }
    } catch (error) {
      await refuse(taking, res, error)
    } finally {
      taking.holding.release()
    }
  }
}

/** Answers a request that was taken. Resolves to the answer of one of which no event was, else to null. */
async function take(taking: Taking, res: ServerResponse): Promise<string | null> {
  const { settings, keys } = taking.parts
  const { req, holding } = taking
  const requestKeys = keysOfRequest(req)
  // A key of the headers is judged before the body is read; one in the body has to be read for.
  const early = requestKeys.length === 0 ? null : await keys.findFirst(requestKeys)
  const ticket = !early && settings.keyless === 'refuse' ? ticketOf(taking) : undefined
  if (early) limitTo(taking, early, true)
  // A key in the body is a browser's way.
  else if (ticket) taking.maxBodyBytes = settings.maxBrowserBodyBytes
  const raw = await readRaw(req, {
    maxBytes: taking.maxBodyBytes,
    timeoutMs: settings.bodyTimeoutMs,
    minBytesPerSecond: settings.minBytesPerSecond,
    holding,
    ...(ticket && { ticket }),
  })
  const sender = early ?? taking.sender
  const lane = sender ?? req.socket.remoteAddress
  const small = await openSmall(taking, raw, lane)
  if (small) return judgeAndKeep(taking, res, early, small)
  return taking.parts.largeBodies.work(lane, raw, (body) => {
    if (req.socket.destroyed) throw new AppError('invalid_input', 'The connection closed before the request was read.')
    if (raw.coding !== null) holding.resize(raw.bytes.length + raw.maxBytes)
    return judgeAndKeep(taking, res, early, body)
  })
}

/** A body that the loop itself can work on; null for one that is large, by its bytes or by what it holds. */
async function openSmall({ parts, slices, holding }: Taking, raw: RawBody, lane: unknown): Promise<WorkedBody | null> {
  if (raw.bytes.length > SMALL_BYTES) return null
  // Of those whose sender is not known the least come first.
  const slot = typeof lane === 'string' && raw.bytes.length > LEAST_BYTES ? `${lane} more` : lane
  const bytes = await slices.run(slot, () => unpack(raw, holding, SMALL_BYTES))
  if (!bytes) return null
  const body = new OpenBody(bytes, parts.settings)
  const measure = await slices.run(slot, () => body.measure())
  if (!measure.isLight) return null
  return {
    open: () => bytes.length,
    measure: () => measure,
    parse: () => slices.run(slot, () => body.parse()),
    judge: (judging) => slices.runSteps(slot, body.judge(judging)),
    bytes: () => bytes,
  }
}

/** The answer is sent once what was accepted is as safe as was promised; it is left to the caller when nothing was. */
async function judgeAndKeep(
  taking: Taking,
  res: ServerResponse,
  early: Sender | null,
  body: WorkedBody,
): Promise<string | null> {
  const { settings, keys, admission, wal, telemetry, now } = taking.parts
  const size = await body.open()
  taking.holding.resize(size)
  const measured = await body.measure()
  early?.check(measured.events)
  const { events, writeKey } = await body.parse()
  const sender = early ?? (await keys.find(writeKey))
  if (!early) limitTo(taking, sender, writeKey !== null)
  if (size > taking.maxBodyBytes) throw tooLarge(taking.maxBodyBytes)
  const receivedAt = now()
  const key = idempotencyKey(taking.req)
  const { siteId, kind } = sender
  const keptSince = settings.keptSince?.(receivedAt) ?? 0
  const judged = await body.judge({ siteId, kind, schemaMode: settings.schemaMode, receivedAt, keptSince, key })
  if (judged.accepted === 0) {
    countJudged(telemetry, judged)
    return judged.answer
  }
  admission.admit(judged.accepted, size)
  const trust = kind === 'sk' ? 'verified' : 'claimed'
  if (key !== undefined && judged.digest !== null) taking.keyUses.claim(siteId, trust, key, judged.digest)
  sender.spend(judged.accepted)
  // At one go, so that the order of arrival is that of the log.
  const { seq, arrivedAt } = taking.takePlaces(receivedAt, events)
  const bytes = body.bytes()
  const payload = encodeFrame({ version: FRAME_VERSION, seq, trust, siteId, ...judged.header }, bytes)
  giveBack(bytes)
  await wal.append({ receivedAt, arrivedAt, events: judged.accepted, payload })
  if (wal.ackLevel !== 'memory') giveBack(payload)
  countJudged(telemetry, judged)
  sendText(res, 202, judged.answer)
  return null
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
function limitTo(taking: Taking, sender: Sender, hasKey: boolean): void {
  const { settings } = taking.parts
  taking.sender = sender
  taking.isStranger = sender.kind !== 'sk' || !hasKey
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
      const key = keyOfHead(head.subarray(0, settings.keyInBodyBytes))
      limitTo(taking, await keys.find(key), key !== null)
      return taking.maxBodyBytes
    },
  }
}

function idempotencyKey(req: IncomingMessage): string | undefined {
  const key = req.headers['idempotency-key']
  return typeof key === 'string' && key !== '' ? key : undefined
}

/** Counts the events of a request that is answered, and those refused by their type. */
function countJudged({ counters }: Telemetry, { received, refusedTypes }: Judgement): void {
  counters.received += received
  for (const [type, refused] of Object.entries(refusedTypes)) {
    counters.rejected += refused
    typeCounts(counters, type).rejected += refused
  }
}

/**
 * A stranger's refusal has its turn, without its body. Those of a shop's own server never wait: what it sends next, on the
 * same connections, may be right.
 */
async function waitForTurn(
  { parts, sender, req, holding }: Taking,
  res: ServerResponse,
  status: number,
): Promise<void> {
  if (status >= 500 || sender?.kind === 'sk') return
  holding.release()
  const turn = parts.refusals.turn(sender ?? req.socket.remoteAddress)
  if (turn !== true && !(await turn)) res.setHeader('connection', 'close')
}

async function refuse(taking: Taking, res: ServerResponse, error: unknown): Promise<void> {
  const { parts, maxBodyBytes } = taking
  const { telemetry, admission, settings } = parts
  const known = error instanceof AppError
  if (!known) telemetry.log.error({ err: error }, 'ingest failed')
  const status = known ? error.status : 500
  countRefusal(telemetry.counters, status, known ? error.code : 'internal')
  await waitForTurn(taking, res, status)
  if (admission.draining) res.setHeader('connection', 'close')
  if (status === 403) disallowOrigin(res)
  const limits = {
    maxBodyBytes,
    maxEvents: settings.maxEvents,
    maxEventBytes: eventLimits.eventBytes,
  }
  sendError(res, error, status === 413 ? { limits } : {})
}
