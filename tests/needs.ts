import { describe } from 'vitest'
import type { Skip } from '../scripts/test-summary.ts'

/** A program that a test needs. `missing`: why it is not available; null if it is. */
export interface Need {
  path: string
  missing: string | null
}

/** For tests that need nothing special. */
export const nothing: Need = { path: '', missing: null }

/** A test suite that runs if its need is met, and otherwise is skipped with the reason. */
export function describeWith(need: Need, name: string, body: () => void): void {
  const { path, missing } = need
  const skip: Skip | undefined = missing === null ? undefined : { reason: missing, path }
  describe(name, { skip: missing !== null, meta: { skip } }, body)
}
