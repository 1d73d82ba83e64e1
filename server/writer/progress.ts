/** What the writer does again and again until it succeeds. */
export type Work = 'log' | 'store' | 'doubted' | 'dead letters'

/** Whether accepted events get on into the store. */
export interface Progress {
  /** A piece of work, to be told of its failures and its end. */
  begin(work: Exclude<Work, 'doubted'>): Beginning
  /** The same where events of such types fail like all others of theirs. */
  begin(work: 'doubted', types: () => string[]): Beginning
  /** A batch is stored. */
  stored(): void
  /** Sentences for those who run the server; `oldestAt` is the receivedAt of the oldest event that waits. */
  troubles(oldestAt: number | null): string[]
}

interface Beginning {
  failed(): void
  ended(): void
}

/** So many failures of one piece of work in a row are no hiccup. */
const MANY_FAILURES: Record<Work, number> = { log: 3, store: 3, doubted: 1, 'dead letters': 3 }
/** A batch takes seconds at most, also on a slow disk. */
const STANDS_MS = 30_000

const failing: Record<Exclude<Work, 'doubted'>, string> = {
  log: 'The log cannot be read or written: events wait in it.',
  store: 'The store does not take events: they wait in the log and are tried again.',
  'dead letters': 'Dead letters cannot be written: their events wait in the log.',
}

/** That events of these types are in doubt, with what to do about it. */
export function inDoubt(types: readonly string[]): string {
  const names = [...new Set(types)].sort()
  return `Events (${names.join(', ')}) fail in the store, and so do all others like them: they wait in the log and are tried again until what the log of the server says of them is mended, or until they are given up as dead letters with npm run dead-letters -- give-up ${names.join(' ')}`
}

export function createProgress(now: () => number): Progress {
  const failures = new Map<object, { work: Work; count: number; types: () => string[] }>()
  let movedAt = now()

  return {
    begin(work: Work, types: () => string[] = () => []) {
      const key = {}
      return {
        failed() {
          const known = failures.get(key)
          if (known) known.count++
          else failures.set(key, { work, count: 1, types })
        },
        ended: () => void failures.delete(key),
      }
    },
    stored() {
      movedAt = now()
    },
    troubles(oldestAt) {
      const many = [...failures.values()].filter(({ work, count }) => count >= MANY_FAILURES[work])
      const works = new Set(many.map(({ work }) => work))
      const sentences = [...works].map((work) =>
        work === 'doubted' ? inDoubt(many.flatMap(({ types }) => types())) : failing[work],
      )
      // A clock that was set back would make it stand still for as long as that.
      const since = Math.max(movedAt <= now() ? movedAt : 0, oldestAt ?? now())
      if (sentences.length === 0 && oldestAt !== null && now() - since > STANDS_MS)
        sentences.push('Nothing was stored for half a minute although events wait.')
      return sentences
    },
  }
}
