import { setImmediate } from 'node:timers/promises'

/** How long work goes on before questions and requests get a turn. */
const TURN_MS = 8

/** Waits until others had a turn, when enough was done since the last time. */
export type Turns = () => Promise<void> | undefined

/** To be awaited now and then in long work, whenever it gives something to wait for. */
export function createTurns(): Turns {
  let endsAt = performance.now() + TURN_MS
  async function pause(): Promise<void> {
    await setImmediate()
    endsAt = performance.now() + TURN_MS
  }
  return () => (performance.now() > endsAt ? pause() : undefined)
}
