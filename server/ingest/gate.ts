import { tooMuchAtOnce } from './budget.ts'
import { createFairQueue } from './fair-queue.ts'

/** Lets few in at once. The others wait in the order they came, and one of each lane after another. */
export interface Gate {
  /**
   * Resolves to what is called on leaving. Rejects with AppError rate_limited when too many wait already: the newcomer,
   * or the last of the lane that most wait in.
   */
  enter(lane?: unknown): Promise<() => void>
}

interface Waiting {
  goIn(): void
  turnAway(): void
}

export function createGate(places: number, maxWaiting: number): Gate {
  const waiting = createFairQueue<Waiting>()
  let inside = 0

  function leaveOnce(): () => void {
    let left = false
    return () => {
      if (left) return
      left = true
      inside--
      waiting.shift()?.goIn()
    }
  }

  return {
    async enter(lane) {
      if (inside >= places) {
        if (waiting.size >= maxWaiting) {
          const other = waiting.giveWay(lane)
          if (!other) throw tooMuchAtOnce()
          other.turnAway()
        }
        await new Promise<void>((resolve, reject) => {
          waiting.push(lane, {
            goIn() {
              inside++
              resolve()
            },
            turnAway: () => reject(tooMuchAtOnce()),
          })
        })
      } else inside++
      return leaveOnce()
    },
  }
}
