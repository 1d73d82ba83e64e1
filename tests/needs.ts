import { describe } from 'vitest'
import type { Skip } from '../scripts/test-summary.ts'

/** Something a test needs that a machine may lack. `missing` is why it cannot be used, null where it is there. */
export interface Need {
  path: string
  missing: string | null
}

/** Of what every machine has. */
export const nothing: Need = { path: '', missing: null }

/** A suite that runs where its need is met and is skipped with the reason where it is not. */
export function describeWith(need: Need, name: string, body: () => void): void {
  const { path, missing } = need
  const skip: Skip | undefined = missing === null ? undefined : { reason: missing, path }
  describe(name, { skip: missing !== null, meta: { skip } }, body)
}
