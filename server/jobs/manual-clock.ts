import type { Clock } from './clock.ts'

interface Sleeper {
  until: number
  wake(): void
}

/** A clock for tests that stands still but for `advance`. */
export function createManualClock(start: number): Clock & { advance(ms: number): void; sleeping(): number } {
  let now = start
  let sleepers: Sleeper[] = []
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve()
        const wake = () => {
          signal.removeEventListener('abort', wake)
          sleepers = sleepers.filter((other) => other !== sleeper)
          resolve()
        }
        const sleeper = { until: now + ms, wake }
        sleepers.push(sleeper)
        signal.addEventListener('abort', wake)
      }),
    sleeping: () => sleepers.length,
    advance(ms) {
      now += ms
      for (const { wake } of sleepers.filter(({ until }) => until <= now)) wake()
    },
  }
}
