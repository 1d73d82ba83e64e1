import type { Need } from '../../tests/needs.ts'

/** A line that keeps a guarantee, a broken version of it, and a test that must fail with that. */
export interface Mutation {
  name: string
  file: string
  /** Must occur exactly once in the file. */
  line: string
  broken: string
  test: string
  /** Part of the test's name; without it all tests of the file run. */
  only?: string
  /** What the test needs besides Node. */
  needs?: Need
}
