import { createFairQueue } from './fair-queue.ts'

/** Answers that refuse something, so many a second: whoever is refused by the thousand waits, and asks less often. */
export interface Refusals {
  /** Resolves when the answer may be sent: to true, or to false when so many wait that its connection shall end with it. */
  turn(lane: unknown): true | Promise<boolean>
  /** Nobody waits any longer. */
  close(): void
}

export interface RefusalsParts {
  perSecond: number
  /** Each has a connection, and connections are for others as well. */
  maxWaiting: number
  now?: () => number
}

const STEP_MS = 10

/**
 * A refusal costs about as much of the loop as an accepted event, and costs who is refused nothing. Since a client sends its
 * next request when it has the answer to the one before, answers that come later are requests that never come.
 */
export function createRefusals({ perSecond, maxWaiting, now = () => performance.now() }: RefusalsParts): Refusals {
  const waiting = createFairQueue<(isOneOfFew: boolean) => void>()
  /** Those of a second at one go: of a browser that goes wrong, and of a developer's tests, none waits. */
  let left = perSecond
  let countedAt = now()
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  function count(): void {
    const at = now()
    left = Math.min(perSecond, left + ((at - countedAt) / 1000) * perSecond)
    countedAt = at
  }

  function step(): void {
    timer = undefined
    count()
    for (; left >= 1 && waiting.size > 0; left--) waiting.shift()?.(true)
    schedule()
  }

  function schedule(): void {
    if (waiting.size > 0) timer ??= setTimeout(step, STEP_MS)
  }

  return {
    turn(lane) {
      count()
      if (isClosed) return true
      if (left >= 1 && waiting.size === 0) {
        left--
        return true
      }
      if (waiting.size >= maxWaiting) {
        const other = waiting.giveWay(lane)
        if (!other) return Promise.resolve(false)
        other(false)
      }
      return new Promise((resolve) => {
        waiting.push(lane, resolve)
        schedule()
      })
    },
    close() {
      isClosed = true
      clearTimeout(timer)
      while (waiting.size > 0) waiting.shift()?.(true)
    },
  }
}
