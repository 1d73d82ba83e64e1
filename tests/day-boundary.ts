import { setTimeout as sleep } from 'node:timers/promises'
import { DAY_MS } from '../server/store/sample-events.ts'

const MARGIN_MS = 3 * 60_000

/** If one of these hours (UTC) is about to begin, waits until it has, so that "yesterday" does not change in a test. */
export async function awayFromHours(...hours: number[]): Promise<void> {
  const sinceMidnight = Date.now() % DAY_MS
  for (const hour of hours) {
    const leftMs = (hour * 3_600_000 - sinceMidnight + DAY_MS) % DAY_MS
    if (leftMs < MARGIN_MS) await sleep(leftMs + 1000)
  }
}
