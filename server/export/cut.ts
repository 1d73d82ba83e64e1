import { setTimeout as sleep } from 'node:timers/promises'
import type { Freshness } from '../../trpc/schema/common.ts'
import { type DayFigures, digest } from './figures.ts'

/** Figures that count every event received up to a moment, and perhaps some after it: the lines will show. */
export interface Cut {
  figures: DayFigures
  receivedTo: number
}

const LOOKS = 40
const LOOK_MS = 50

/**
 * Figures as of moments, however many events come in. A store has everything up to the moment that freshness tells
 * before its figures are read; as many lines up to that moment as the figures count prove that they count no others.
 * One cut is enough where nothing changes from one look to the next. Figures that change while they are read are left.
 */
export async function cutsOf(
  figuresNow: () => Promise<DayFigures>,
  freshness: () => Freshness,
  now: () => number,
  signal: AbortSignal,
): Promise<Cut[]> {
  const cuts: Cut[] = []
  let before = { at: 0, figures: '' }
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await sleep(LOOK_MS, undefined, { signal })
    const receivedTo = Date.parse(freshness().completeTo)
    const figures = await figuresNow()
    const at = now()
    if (digest(await figuresNow()) !== digest(figures)) continue
    if (digest(figures) === before.figures && receivedTo >= before.at) return [{ figures, receivedTo: before.at }]
    cuts.push({ figures, receivedTo })
    before = { at, figures: digest(figures) }
  }
  return cuts
}
