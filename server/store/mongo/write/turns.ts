import { setImmediate } from 'node:timers/promises'

/** How long a fold works before questions and requests get a turn. */
const TURN_MS = 8

/** To be awaited now and then in long work, whenever it gives something to wait for. */
export function createTurns(): () => Promise<void> | undefined {
  let endsAt = performance.now() + TURN_MS
  async function pause(): Promise<void> {
    await setImmediate()
    endsAt = performance.now() + TURN_MS
  }
  return () => (performance.now() > endsAt ? pause() : undefined)
}
