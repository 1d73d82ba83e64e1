import type { ErrorCode } from '../errors.ts'
import type { Coding } from './coding.ts'
import type { Judging } from './judge.ts'
import type { BodyBounds, Judgement, Measure, Opened } from './open-body.ts'

/** What the thread is asked, one after another, of one body at a time. */
export interface Steps {
  /** Bytes of the inflated body. */
  open(input: { bytes: Uint8Array; coding: Coding | null; maxBytes: number; bounds: BodyBounds }): number
  measure(input: null): Measure
  parse(input: null): Opened
  /** Gives the body back, too. */
  judge(input: Judging): Judgement & { bytes: Uint8Array }
}

export interface Question<Step extends keyof Steps = keyof Steps> {
  step: Step
  input: Parameters<Steps[Step]>[0]
}

/** An error is the client's, a failure our own. */
export type Reply =
  | { answer: unknown }
  | { failure: unknown }
  | { error: { code: ErrorCode; message: string; field: string | undefined } }

/** The bytes in memory that nobody else has a part of, so that it can be handed over. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength
    ? new Uint8Array(buffer)
    : Uint8Array.from(bytes)
}
