import { setTimeout as sleep } from 'node:timers/promises'
import type { Freshness } from '../../trpc/schema/common.ts'
import { type DayFigures, digest } from './figures.ts'

/** Figures, and which events they count. */
export interface Cut {
  figures: DayFigures
  /** They count every event received up to this moment and none after it; null when no such moment was found. */
  receivedTo: number | null
}

const LOOKS = 20
const LOOK_MS = 50

/**
 * The figures as of a moment, however many events come in. What was received by the time they were read must be in
 * the store a little later: when the figures are still the same then, they had all of it, and nothing else.
 */
export async function cutOf(
  figuresNow: () => Promise<DayFigures>,
  freshness: () => Freshness,
  now: () => number,
  signal: AbortSignal,
): Promise<Cut> {
  let figures = await figuresNow()
  for (let look = 0; look < LOOKS; look++) {
    const receivedTo = now()
    if (!(await allStored(freshness, receivedTo, signal))) return { figures, receivedTo: null }
    const later = await figuresNow()
    if (digest(later) === digest(figures)) return { figures, receivedTo }
    figures = later
  }
  return { figures, receivedTo: null }
}

async function allStored(freshness: () => Freshness, moment: number, signal: AbortSignal): Promise<boolean> {
  for (let look = 0; look < LOOKS; look++) {
    if (Date.parse(freshness().completeTo) >= moment) return true
    await sleep(LOOK_MS, undefined, { signal })
  }
  return false
}
