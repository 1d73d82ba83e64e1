import os from 'node:os'
import { parentPort } from 'node:worker_threads'
import { AppError } from '../errors.ts'
import { giveBack } from '../give-back.ts'
import { tooLarge } from './body.ts'
import { inflate } from './coding.ts'
import { ownBytes, type Question, type Reply, type Steps } from './large-steps.ts'
import { OpenBody } from './open-body.ts'

/** Lower than the threads that answer requests and write events: what is large never takes the time of what is small. */
const NICENESS = 10

let body: OpenBody | null = null

const steps: Steps = {
  open({ bytes, coding, maxBytes, bounds }) {
    // Of a body that was given up on the way.
    if (body) giveBack(body.bytes)
    body = null
    const sent = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const inflated = coding === null ? sent : inflate(sent, coding, maxBytes)
    if (inflated !== sent) giveBack(sent)
    if (inflated === null) throw tooLarge(maxBytes)
    body = new OpenBody(inflated, bounds)
    if (inflated.length > maxBytes) throw tooLarge(maxBytes)
    return inflated.length
  },
  measure: () => opened().measure(),
  parse: () => opened().parse(),
  judge(judging) {
    const judgement = atOnce(opened().judge(judging))
    const { bytes } = opened()
    const own = ownBytes(bytes)
    if (own.buffer !== bytes.buffer) giveBack(bytes)
    return { ...judgement, bytes: own }
  },
}

/** This thread answers nobody else. */
function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}

function opened(): OpenBody {
  if (!body) throw new Error('no body is open')
  return body
}

function answer({ step, input }: Question): void {
  try {
    const found = (steps[step] as (input: unknown) => unknown)(input)
    const handOver = step === 'judge' ? [(found as ReturnType<Steps['judge']>).bytes.buffer as ArrayBuffer] : []
    // From here on its memory is only kept from others.
    if (step === 'judge') body = null
    parentPort?.postMessage({ answer: found } satisfies Reply, handOver)
  } catch (error) {
    if (body) giveBack(body.bytes)
    body = null
    if (!(error instanceof AppError)) return void parentPort?.postMessage({ failure: error } satisfies Reply)
    const { code, message, field } = error
    parentPort?.postMessage({ error: { code, message, field } } satisfies Reply)
  }
}

/** On Linux alone it is the thread's own. */
if (os.platform() === 'linux') os.setPriority(NICENESS)
parentPort?.on('message', answer)
