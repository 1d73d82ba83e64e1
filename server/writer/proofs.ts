import type { StoredEvent } from '../store/store.ts'

/**
 * Whether a failure is an event's own or the store's. Only where another event of its shape was stored since it first
 * failed, and it fails again, is the event at fault: a table that has lost a column fails with every event of a shape.
 */
export interface Proofs {
  /** Begun when a batch fails, ended when it is out of the log. */
  begin(): Doubts
  /** Whether somebody waits for an event of one of these types to be stored. */
  areWanted(types: Iterable<string>): boolean
  stored(events: readonly StoredEvent[]): void
}

/** Of one batch, over all its tries. */
export interface Doubts {
  /** Failed alone, and nothing of its shape is known to be stored since. */
  add(event: StoredEvent): void
  isProven(event: StoredEvent): boolean
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

export function createProofs(): Proofs {
  const open = new Set<{ types: Set<string>; stored(events: readonly StoredEvent[]): void }>()

  return {
    begin() {
      const proven = new Set<string>()
      const doubted = new Set<string>()
      const types = new Set<string>()
      let hasNews = false
      const prove = (shape: string) => {
        if (doubted.delete(shape)) hasNews = true
        proven.add(shape)
      }
      const own = {
        types,
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
        add(event) {
          doubted.add(shapeOf(event))
          types.add(event.type)
        },
        isProven: (event) => proven.has(shapeOf(event)),
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
  }
}
