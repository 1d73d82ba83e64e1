import type { StoredEvent } from '../store/store.ts'
import { type GivenUp, nothingGivenUp } from './given-up.ts'

/**
 * Whether a failure is an event's own or the store's. Only where another event of its shape was stored since it first
 * failed, and it fails again, is the event at fault: a table that has lost a column fails with every event of a shape.
 */
export interface Proofs {
  /** Begun with a batch, ended when it is stored and its letters are kept. */
  begin(): Doubts
  /** Whether somebody waits for an event of one of these types to be stored. */
  areWanted(types: Iterable<string>): boolean
  stored(events: readonly StoredEvent[]): void
  /** What is doubted now, of all batches, each shape once. */
  doubted(): Doubted[]
}

/** Events of a type and month of which it is not known whether they or the store are at fault. */
export interface Doubted {
  type: string
  /** "2026-11", UTC. */
  month: string
  /** What the store says of one of them. */
  reason: string
}

/** Of one batch, over all its tries. */
export interface Doubts {
  /** Failed alone with that, and nothing of its shape is known to be stored since. */
  add(event: StoredEvent, reason: string): void
  isProven(event: StoredEvent): boolean
  /** Nobody wants to wait for a proof any longer. */
  isGivenUp(event: StoredEvent): boolean
  /** Those of events that failed and are not proven. */
  types(): string[]
  /** Whether that may be so of an event of this batch. */
  mayBeGivenUp(): boolean
  /** Events of the same batch. */
  stored(events: readonly StoredEvent[]): void
  /** Whether the shape of an event that was doubted has been stored since the last time that this was asked. */
  takeNews(): boolean
  end(): void
}

/** What decides into which tables and columns an event goes: its month and its type. */
export function shapeOf({ type, occurredAt }: Pick<StoredEvent, 'type' | 'occurredAt'>): string {
  return `${new Date(occurredAt).toISOString().slice(0, 7)} ${type}`
}

export function createProofs(givenUp: Pick<GivenUp, 'has' | 'hasType'> = nothingGivenUp): Proofs {
  const open = new Set<{
    types: Set<string>
    doubted: Map<string, Doubted>
    stored(events: readonly StoredEvent[]): void
  }>()

  return {
    begin() {
      const proven = new Set<string>()
      const doubted = new Map<string, Doubted>()
      const types = new Set<string>()
      let hasNews = false
      const prove = (shape: string) => {
        if (doubted.delete(shape)) hasNews = true
        proven.add(shape)
      }
      const own = {
        types,
        doubted,
        // Of others only what is asked for, so that no more is kept than a batch has.
        stored(events: readonly StoredEvent[]) {
          for (const event of events) {
            const shape = shapeOf(event)
            if (doubted.has(shape)) prove(shape)
          }
        },
      }
      open.add(own)
      return {
        add(event, reason) {
          const shape = shapeOf(event)
          doubted.set(shape, { type: event.type, month: shape.slice(0, 7), reason })
          types.add(event.type)
        },
        isProven: (event) => proven.has(shapeOf(event)),
        isGivenUp: (event) => givenUp.has(event),
        types: () => [...doubted.values()].map(({ type }) => type),
        mayBeGivenUp: () => [...types].some((type) => givenUp.hasType(type)),
        stored(events) {
          for (const event of events) prove(shapeOf(event))
        },
        takeNews() {
          const had = hasNews
          hasNews = false
          return had
        },
        end: () => void open.delete(own),
      }
    },
    areWanted(types) {
      if (open.size === 0) return false
      for (const type of types) for (const each of open) if (each.types.has(type)) return true
      return false
    },
    stored(events) {
      for (const each of open) each.stored(events)
    },
    doubted() {
      const all = new Map<string, Doubted>()
      for (const { doubted } of open) for (const [shape, each] of doubted) all.set(shape, each)
      return [...all.values()].sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : a.month < b.month ? -1 : 1))
    },
  }
}
