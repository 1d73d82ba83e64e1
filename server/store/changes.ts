import { setTimeout as sleep } from 'node:timers/promises'

/** How soon a change is seen while somebody waits for one. */
const LOOK_MS = 300

/** Tells when what the store has is no longer what it was, to any number who wait for it, by one look for all of them. */
export interface Changes {
  /** What the store has, as a mark that is another one after each change; it may be LOOK_MS old. Rejects while the store is away. */
  mark(): Promise<string>
  /** The mark a look later; at once when the server ends. */
  next(): Promise<string>
  /** True from the moment on at which nobody should wait any more. */
  readonly isEnding: boolean
  close(): void
}

export function createChanges({ written, lookMs = LOOK_MS }: { written(): Promise<string>; lookMs?: number }): Changes {
  const ending = new AbortController()
  let looked: { at: number; mark: Promise<string> } | null = null
  let looking: Promise<string> | null = null

  function look(): Promise<string> {
    const latest = { at: performance.now(), mark: written() }
    looked = latest
    // A failure is of the moment: the next who asks looks again.
    latest.mark.catch(() => {
      if (looked === latest) looked = null
    })
    return latest.mark
  }

  return {
    mark: () => (looked && performance.now() - looked.at < lookMs ? looked.mark : look()),
    next() {
      looking ??= sleep(lookMs, undefined, { signal: ending.signal, ref: false })
        .catch(() => {})
        .then(() => {
          looking = null
          return look()
        })
      return looking
    },
    get isEnding() {
      return ending.signal.aborted
    },
    close: () => ending.abort(),
  }
}
