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

/** What lies beside the bytes and is handed over with them; less than there is beside each of the small ones that share a pool. */
const MAX_REST_BYTES = 1024

/** The bytes in memory that nobody else has a part of, so that it can be handed over. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength - byteLength <= MAX_REST_BYTES
    ? new Uint8Array(buffer, byteOffset, byteLength)
    : Uint8Array.from(bytes)
}
