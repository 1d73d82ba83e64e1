import { eventLimits, type Verdict } from '../../trpc/schema/event.ts'
import { eventTypes } from '../../trpc/schema/event-types.ts'
import { AppError } from '../errors.ts'
import { acceptedText, type IngestOutcome, refusedText } from './answer.ts'
import { type Envelope, readVeritas } from './dialects/veritas.ts'
import { type Judging, judge, type Verdicts } from './judge.ts'
import { digestOf } from './key-uses.ts'
import { type JsonShape, shapeOf } from './nesting.ts'
import { keptText } from './validate.ts'

export interface BodyBounds {
  maxEvents: number
  /** Of any kind, in all of the body. */
  maxValues: number
  /** Most bytes of the answer. */
  answerBytes: number
}

/** What can be told of a body without parsing it. */
export interface Measure {
  events: number
  /** Whether the rest takes a moment, by what it holds. */
  isLight: boolean
}

/** A body of so few events, with so few values each and so many beside them, is worked on in a few ms. */
const LIGHT = { events: 100, valuesPerEvent: 20, values: 500 }

/** What a body says before its events are judged. */
export interface Opened {
  events: number
  writeKey: string | null
}

/** What a request came to, small enough to be handed from thread to thread. */
export interface Judgement {
  header: Verdicts['header']
  received: number
  accepted: number
  /** How many were refused of each type of the catalogue, "other" for all that are not in it. */
  refusedTypes: Record<string, number>
  /** Of the events whose ids the Idempotency-Key made; null where it made none. */
  digest: string | null
  /** The body of the answer: 202 when any was accepted, else 400. */
  answer: string
}

/** One level too many for the payload of an event in a {batch: […]}: enough to know that it is. */
const MAX_NESTING = eventLimits.nesting + 4

/** The body of a request, inflated, on its way to a judgement. Each step works for as long as the body is large. */
export class OpenBody {
  readonly bytes: Buffer
  readonly #bounds: BodyBounds
  #shape: JsonShape | undefined
  #envelope: Envelope | undefined

  constructor(bytes: Buffer, bounds: BodyBounds) {
    this.bytes = bytes
    this.#bounds = bounds
  }

  /** The first step. Throws AppError too_large before anything is parsed. */
  measure(): Measure {
    const { maxEvents, maxValues } = this.#bounds
    const shape = shapeOf(this.bytes, { depth: MAX_NESTING, cutDeeper: true, events: maxEvents, values: maxValues })
    if (shape.over === 'values')
      throw new AppError('too_large', `The body holds more than ${maxValues} values. Send fewer events at once.`)
    if (shape.over === 'events')
      throw new AppError(
        'too_large',
        `The request holds more than ${maxEvents} events. Send at most ${maxEvents} at once.`,
      )
    this.#shape = shape
    const { events, values } = shape
    return { events, isLight: events <= LIGHT.events && values <= LIGHT.values + LIGHT.valuesPerEvent * events }
  }

  /** The second step. Throws AppError invalid_input for what is no request, too_large for too many events. */
  parse(): Opened {
    this.#envelope = readVeritas(this.bytes)
    const { events, writeKey } = this.#envelope
    const { maxEvents } = this.#bounds
    if (events.length > maxEvents)
      throw new AppError('too_large', `The request holds ${events.length} events; send at most ${maxEvents} at once.`)
    return { events: events.length, writeKey }
  }

  /** The last step, which stops now and then, to be gone on with. */
  *judge(judging: Judging): Generator<void, Judgement> {
    const { events, isUtf8, notKept } = this.#envelope!
    if (events.length === 0) throw new AppError('invalid_input', 'The batch is empty. Send at least one event.')
    const largest = events.length === 1 ? this.bytes.length : this.#shape!.largestPart
    const { header, verdicts, eventIds } = yield* judge({ events, isUtf8 }, largest > eventLimits.eventBytes, judging)
    const outcome: IngestOutcome = { received: events.length, eventIds, verdicts, refused: header.refused, notKept }
    const refusedTypes: Judgement['refusedTypes'] = {}
    for (const index of header.refused) {
      const type = catalogueType(events[index])
      refusedTypes[type] = (refusedTypes[type] ?? 0) + 1
    }
    const byKey = judging.key === undefined ? [] : Object.keys(header.ids)
    const digest = byKey.length === 0 ? null : digestOf(byKey.map((index) => [index, keptText(events[Number(index)])]))
    const { answerBytes } = this.#bounds
    const answer =
      eventIds.length > 0
        ? acceptedText(outcome, answerBytes)
        : refusedText(firstProblem(verdicts), outcome, answerBytes)
    return { header, received: events.length, accepted: eventIds.length, refusedTypes, digest, answer }
  }
}

function firstProblem(verdicts: [string, Verdict][]): string {
  const [, first] = verdicts[0]!
  return verdicts.length === 1
    ? (first.details ?? 'The event is not valid.')
    : `None of the ${verdicts.length} events is valid. The first: ${first.details}`
}

function catalogueType(raw: unknown): string {
  const type = typeof raw === 'object' && raw !== null && 'type' in raw ? raw.type : null
  return typeof type === 'string' && Object.hasOwn(eventTypes, type) ? type : 'other'
}
