import { z } from 'zod'
import { AppError } from '../../errors.ts'
import type { Store } from '../store.ts'

const NAME = 'move'

const mark = z.object({
  id: z.string(),
  /** Where from, without a password. */
  source: z.string(),
  /** Goes up when the source was written to since: what is there already is a duplicate then. */
  pass: z.number().int(),
  /** The source's state when the pass began. */
  written: z.string(),
  phase: z.enum(['rows', 'events', 'figures', 'receipt', 'done']),
  /** The site whose events or figures are being moved, and the place up to which they are there. */
  siteId: z.string().nullable(),
  place: z.string().nullable(),
  /** Moved in this pass up to that place. */
  events: z.number().int(),
})

/** How far a move is; kept in its target. */
export type MoveMark = z.infer<typeof mark>

type Marked = { moving: Pick<Store['moving'], 'mark' | 'setMark'> }

export async function readMark({ moving }: Marked): Promise<MoveMark | null> {
  const text = await moving.mark(NAME)
  return text === null ? null : mark.parse(JSON.parse(text))
}

export async function saveMark({ moving }: Marked, state: MoveMark): Promise<void> {
  await moving.setMark(NAME, JSON.stringify(state))
}

/** Throws AppError conflict for a store that lacks a part of what is being moved into it. */
export async function assertMoved(store: Marked): Promise<void> {
  const state = await readMark(store)
  if (state && state.phase !== 'done')
    throw new AppError(
      'conflict',
      `The store is the target of a move from ${state.source} that is not finished: run npm run migrate again.`,
    )
}
