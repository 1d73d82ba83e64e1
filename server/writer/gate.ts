/** Lets work run beside other work, or alone. */
export interface Gate {
  /** Runs beside other such work, when none runs or waits to run alone. */
  together<T>(work: () => Promise<T>): Promise<T>
  /** Waits for what runs, then runs while nothing else does. */
  alone<T>(work: () => Promise<T>): Promise<T>
}

export function createGate(): Gate {
  const running = new Set<Promise<unknown>>()
  /** The end of all work that was to run alone. */
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0

  async function alone<T>(before: Promise<unknown>, work: () => Promise<T>): Promise<T> {
    try {
      await before
      await Promise.allSettled(running)
      return await work()
    } finally {
      waiting--
    }
  }

  return {
    async together(work) {
      while (waiting > 0) await last
      const run = work()
      running.add(run)
      try {
        return await run
      } finally {
        running.delete(run)
      }
    },
    alone(work) {
      waiting++
      const run = alone(last, work)
      last = run.catch(() => {})
      return run
    },
  }
}
