/** What the writer does again and again until it succeeds. */
export type Work = 'log' | 'store' | 'doubted' | 'dead letters'

/** Whether accepted events get on into the store. */
export interface Progress {
  /** A piece of work, to be told of its failures and its end. */
  begin(work: Work): { failed(): void; ended(): void }
  /** A batch is stored. */
  stored(): void
  /** Sentences for those who run the server; `oldestAt` is the receivedAt of the oldest event that waits. */
  troubles(oldestAt: number | null): string[]
}

/** So many failures of one piece of work in a row are no hiccup. */
const MANY_FAILURES: Record<Work, number> = { log: 3, store: 3, doubted: 1, 'dead letters': 3 }
/** A batch takes seconds at most, also on a slow disk. */
const STANDS_MS = 30_000

const failing: Record<Work, string> = {
  log: 'The log cannot be read or written: events wait in it.',
  store: 'The store does not take events: they wait in the log and are tried again.',
  doubted: 'Events fail in the store, and so do all others like them: they wait in the log and are tried again.',
  'dead letters': 'Dead letters cannot be written: their events wait in the log.',
}

export function createProgress(now: () => number): Progress {
  const failures = new Map<object, { work: Work; count: number }>()
  let movedAt = now()

  return {
    begin(work) {
      const key = {}
      return {
        failed() {
          const known = failures.get(key)
          if (known) known.count++
          else failures.set(key, { work, count: 1 })
        },
        ended: () => void failures.delete(key),
      }
    },
    stored() {
      movedAt = now()
    },
    troubles(oldestAt) {
      const works = new Set(
        [...failures.values()].flatMap(({ work, count }) => (count >= MANY_FAILURES[work] ? [work] : [])),
      )
      const sentences = [...works].map((work) => failing[work])
      // A clock that was set back would make it stand still for as long as that.
      const since = Math.max(movedAt <= now() ? movedAt : 0, oldestAt ?? now())
      if (sentences.length === 0 && oldestAt !== null && now() - since > STANDS_MS)
        sentences.push('Nothing was stored for half a minute although events wait.')
      return sentences
    },
  }
}
