import { payloadIssues } from '../../server/ingest/payload.ts'
import { eventSeq, type StoredEvent } from '../../server/store/store.ts'
import type { EventType } from '../../trpc/schema/event-types.ts'
import type { PostedEvent } from './events.ts'

const MINUTE_MS = 60_000

interface Obligation {
  /** All fields that the stored row must have, as one line. */
  line: string
  /** Index of the event in its request. */
  index: number
  /** The required id; undefined as long as only the server knows it. */
  eventId: string | undefined
  firstSentAt: number
  /** Whether a 202 confirmed the event, so that it must not be missing. */
  promised: boolean
  /** The step of the run in which it was posted. */
  step: string
}

/** How the store differs from what clients were told. All lists must be empty. Entries name mark and step. */
export interface Differences {
  missing: string[]
  duplicates: string[]
  spurious: string[]
  different: string[]
}

/** What the server owes its clients: every posted event by its mark, and whether a 202 confirmed it. */
export class Obligations {
  readonly #byMark = new Map<string, Obligation>()
  /** The current round or phase of the run, named in differences. */
  step = 'start'
  promised = 0

  get posted(): number {
    return this.#byMark.size
  }

  /** Records events before their request is first sent. */
  offer(events: readonly PostedEvent[]): void {
    for (const [index, event] of events.entries()) {
      const { line, eventId } = { line: postedLine(event), eventId: event.eventId?.trim() }
      const obligation = { line, index, eventId, firstSentAt: Date.now(), promised: false, step: this.step }
      this.#byMark.set(markOf(event.payload)!, obligation)
    }
  }

  /** Records a 202 with these ids, in the order of the request's events. */
  promise(events: readonly PostedEvent[], eventIds: readonly string[]): void {
    if (eventIds.length !== events.length) throw new Error(`${eventIds.length} ids for ${events.length} events`)
    for (const [index, event] of events.entries()) {
      const obligation = this.#byMark.get(markOf(event.payload)!)!
      if (!obligation.promised) this.promised++
      obligation.promised = true
      obligation.eventId ??= eventIds[index]
      if (obligation.eventId !== eventIds[index])
        throw new Error(`the 202 for ${obligation.eventId} names ${eventIds[index]}`)
    }
  }

  /**
   * Remembers the current promises. Calling the returned function makes these the only ones, as after restoring a
   * backup that was started now: events promised later may then be present or not.
   */
  remember(): () => void {
    const promised = new Set([...this.#byMark].filter(([, each]) => each.promised).map(([mark]) => mark))
    return () => {
      for (const [mark, obligation] of this.#byMark) obligation.promised &&= promised.has(mark)
      this.promised = promised.size
    }
  }

  /** Removes an event that the server said it would not keep. */
  withdraw(event: PostedEvent): void {
    this.#byMark.delete(markOf(event.payload)!)
  }

  /** Compares stored rows and dead letters, in any order, with the promises. */
  compare(rows: readonly StoredEvent[], letters: readonly StoredEvent[] = []): Differences {
    const differences: Differences = { missing: [], duplicates: [], spurious: [], different: [] }
    const seen = new Set<string>()
    for (const row of [...rows, ...letters]) {
      const mark = markOf(row.payload) ?? row.eventId
      const obligation = this.#byMark.get(mark)
      const name = `${mark} (${obligation?.step ?? 'never posted'})`
      if (!obligation) differences.spurious.push(name)
      else if (seen.has(mark)) differences.duplicates.push(name)
      else differences.different.push(...faultsOf(row, obligation).map((fault) => `${name}: ${fault}`))
      seen.add(mark)
    }
    for (const [mark, { promised, step }] of this.#byMark)
      if (promised && !seen.has(mark)) differences.missing.push(`${mark} (${step})`)
    return differences
  }
}

function faultsOf(row: StoredEvent, { line, index, eventId, firstSentAt }: Obligation): string[] {
  const faults: string[] = []
  if (storedLine(row) !== line) faults.push(`stored ${storedLine(row)}, posted ${line}`)
  if (eventId !== undefined && row.eventId !== eventId) faults.push(`has the id ${row.eventId}, not ${eventId}`)
  if (row.receivedAt < firstSentAt || row.receivedAt > Date.now()) faults.push(`was received at ${row.receivedAt}`)
  // Numbered by its index in the request, after earlier requests of the same millisecond.
  const least = eventSeq(row.receivedAt, index)
  if (row.seq < least || row.seq > eventSeq(row.receivedAt + MINUTE_MS, index)) faults.push(`has the seq ${row.seq}`)
  return faults
}

function markOf(payload: Record<string, unknown> | null): string | undefined {
  return typeof payload?.mark === 'string' ? payload.mark : undefined
}

function postedLine({ userId, sessionId, type, payload, occurredAt }: PostedEvent): string {
  const issues = payloadIssues(type as EventType, payload)
  const instant = typeof occurredAt === 'number' ? occurredAt : Date.parse(occurredAt)
  return JSON.stringify(['default', userId, sessionId, type, payload, instant, issues])
}

function storedLine({ siteId, userId, sessionId, type, payload, occurredAt, issues }: StoredEvent): string {
  return JSON.stringify([siteId, userId, sessionId, type, payload, occurredAt, issues])
}
