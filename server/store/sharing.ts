import type { OverviewRow, Store, UntilQuery } from './store.ts'

/** Who asks waits so long; the count goes on, and whoever asks again has it. */
const PATIENCE_MS = 5000
/** Counts that wait for the one that is made; who comes then is told. */
const MOST_WAITING = 16
/** Answers that are kept: of some ranges and sites, each for some minutes. */
const MOST_KEPT = 100
/** One of so many events in its last day, which late ones have changed, is counted again only after so many times as long. */
const LARGE_EVENTS = 100_000
const REST = 10

type Answer = Awaited<ReturnType<Store['overviewUntil']>>

interface Kept {
  /** What the roll-ups said of the whole range before it was counted. */
  stamp: string
  answer: Promise<Answer>
  /** When it had been counted, and how long that took; Infinity and 0 while it is on its way. */
  doneAt: number
  tookMs: number
  isLarge: boolean
}

/**
 * Answers to what is counted from events, shared by all who ask and kept for as long as it stays true: every event that
 * changes one changes what the roll-ups say of its days, which is read each time. One count is made at a time, whatever
 * is asked for.
 */
export function createSharing(
  rollups: (query: { siteId: string; from: string; to: string }) => Promise<OverviewRow>,
  count: (query: UntilQuery) => Promise<Answer>,
  clock: () => number = () => performance.now(),
): Store['overviewUntil'] {
  const kept = new Map<string, Kept>()
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0

  function isResting({ isLarge, doneAt, tookMs }: Kept): boolean {
    return isLarge && clock() < doneAt + REST * tookMs
  }

  function counted(key: string, query: UntilQuery, stamp: string): Promise<Answer> {
    waiting += 1
    const entry: Kept = {
      stamp,
      answer: Promise.resolve({ missing: 'busy' }),
      doneAt: Number.POSITIVE_INFINITY,
      tookMs: 0,
      isLarge: false,
    }
    entry.answer = last.then(async () => {
      const startedAt = clock()
      try {
        const answer = await count(query)
        entry.isLarge = 'missing' in answer || (answer.days.at(-1)?.events ?? 0) >= LARGE_EVENTS
        // What came in between is no answer to keep.
        if ('missing' in answer && answer.missing === 'busy') forget()
        return answer
      } finally {
        waiting -= 1
        entry.doneAt = clock()
        entry.tookMs = entry.doneAt - startedAt
      }
    })
    // After a failure whoever asks next tries it again.
    last = entry.answer.catch(forget)
    function forget(): void {
      if (kept.get(key) === entry) kept.delete(key)
    }
    kept.delete(key)
    kept.set(key, entry)
    for (const oldest of kept.keys()) {
      if (kept.size <= MOST_KEPT) break
      kept.delete(oldest)
    }
    return entry.answer
  }

  return (query) => within(PATIENCE_MS, answerOf(query))

  async function answerOf(query: UntilQuery): Promise<Answer> {
    const { siteId, from, to, until } = query
    const key = JSON.stringify([siteId, from, to, until])
    const stamp = JSON.stringify(await rollups({ siteId, from, to }))
    for (;;) {
      const known = kept.get(key)
      if (known?.stamp === stamp || (known && isResting(known))) return known.answer
      if (!known || known.doneAt !== Number.POSITIVE_INFINITY) break
      // It may have begun before the last event came; then it is counted again, unless it is slow.
      await known.answer.catch(() => undefined)
    }
    if (waiting >= MOST_WAITING) return { missing: 'busy' }
    return counted(key, query, stamp)
  }
}

async function within(patienceMs: number, answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Answer>((resolve) => {
    timer = setTimeout(() => resolve({ missing: 'busy' }), patienceMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
