import { setTimeout as sleep } from 'node:timers/promises'

/** The time as jobs see it; tests have one that they turn by hand. Milliseconds. */
export interface Clock {
  now(): number
  /** Resolves after that long, or as soon as the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: Date.now,
  async sleep(ms, signal) {
    await sleep(ms, undefined, { signal, ref: false }).catch(() => {})
  },
}
