import type { Need } from '../../tests/needs.ts'

/** A line that keeps a promise, what it is broken into, and the test that must fail then. */
export interface Mutation {
  name: string
  file: string
  /** Exactly once in the file. */
  line: string
  broken: string
  test: string
  /** Part of the test's name; without it the whole file is run. */
  only?: string
  /** What the test needs beside Node. */
  needs?: Need
}
