import { payloadIssues } from '../../server/ingest/payload.ts'
import { eventSeq, type StoredEvent } from '../../server/store/store.ts'
import type { EventType } from '../../trpc/schema/event-types.ts'
import type { PostedEvent } from './events.ts'

const MINUTE_MS = 60_000

interface Obligation {
  /** Everything a stored row must say, as one line. */
  line: string
  /** The event's place in its request. */
  index: number
  /** The id it must have; undefined while only the server knows it. */
  eventId: string | undefined
  firstSentAt: number
  /** A 202 reported it: from then on it may not be missing. */
  promised: boolean
  /** Where in the run it was posted. */
  step: string
}

/** How the store differs from what the clients were told. Every list must be empty; each entry names mark and step. */
export interface Differences {
  missing: string[]
  duplicates: string[]
  spurious: string[]
  different: string[]
}

/** What the server owes its clients: every event they posted, by its mark, and whether a 202 promised it. */
export class Obligations {
  readonly #byMark = new Map<string, Obligation>()
  /** Named in what goes wrong: the round or phase of the run. */
  step = 'start'
  promised = 0

  get posted(): number {
    return this.#byMark.size
  }

  /** Before a request is sent for the first time. */
  offer(events: readonly PostedEvent[]): void {
    for (const [index, event] of events.entries()) {
      const { line, eventId } = { line: postedLine(event), eventId: event.eventId?.trim() }
      const obligation = { line, index, eventId, firstSentAt: Date.now(), promised: false, step: this.step }
      this.#byMark.set(markOf(event.payload)!, obligation)
    }
  }

  /** A 202 named these ids, in the order of its accepted events. */
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
   * What is promised now is all that is promised once the returned function is called, as after the return to a backup
   * that began now. What was promised since may be there or not.
   */
  remember(): () => void {
    const promised = new Set([...this.#byMark].filter(([, each]) => each.promised).map(([mark]) => mark))
    return () => {
      for (const [mark, obligation] of this.#byMark) obligation.promised &&= promised.has(mark)
      this.promised = promised.size
    }
  }

  /** The server said that it will not keep this one. */
  withdraw(event: PostedEvent): void {
    this.#byMark.delete(markOf(event.payload)!)
  }

  /** Holds rows (and events kept as dead letters) against the promises; `rows` may come in any order. */
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
  // In its place within the request, which begins behind those of the same millisecond.
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
