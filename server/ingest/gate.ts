import { tooMuchAtOnce } from './budget.ts'

/** Lets few in at once; the others wait in the order they came. */
export interface Gate {
  /** Resolves to what is called on leaving. Rejects with AppError rate_limited when too many wait already. */
  enter(): Promise<() => void>
}

export function createGate(places: number, maxWaiting: number): Gate {
  const waiting: (() => void)[] = []
  let inside = 0

  function leaveOnce(): () => void {
    let left = false
    return () => {
      if (left) return
      left = true
      inside--
      waiting.shift()?.()
    }
  }

  return {
    async enter() {
      if (inside >= places) {
        if (waiting.length >= maxWaiting) throw tooMuchAtOnce()
        await new Promise<void>((resolve) => {
          waiting.push(() => {
            inside++
            resolve()
          })
        })
      } else inside++
      return leaveOnce()
    },
  }
}
