import { EventEmitter } from 'node:events'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, it, vi } from 'vitest'
import type { RawBody } from './body.ts'
import type { Coding } from './coding.ts'
import type { Judging } from './judge.ts'
import {
  createLargeBodies,
  type LargeBodies,
  type LargeBodiesParts,
  type Thread,
  type WorkedBody,
} from './large-bodies.ts'
import type { Question } from './large-steps.ts'

const bounds = { maxEvents: 100, maxValues: 1000, answerBytes: 65_536 }
const event = { type: 'page_view', userId: 'u', sessionId: 's', payload: { url: '/' } }
const judging: Judging = {
  siteId: 'shop',
  kind: 'sk',
  schemaMode: 'warn',
  receivedAt: 1_790_000_000_000,
  keptSince: 0,
  key: undefined,
}

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0)) await step()
})

function open(parts: Partial<LargeBodiesParts> = {}): LargeBodies {
  const bodies = createLargeBodies({ threads: 1, bounds, onLost: () => {}, ...parts })
  cleanUp.push(() => bodies.close())
  return bodies
}

function raw(bytes: Buffer, coding: Coding | null = null, maxBytes = 1_000_000): RawBody {
  return { bytes, coding, maxBytes, ticket: undefined }
}

async function judged(body: WorkedBody) {
  const size = await body.open()
  const { events } = await body.measure()
  const { writeKey } = await body.parse()
  const { answer, ...judgement } = await body.judge(judging)
  return { size, events, writeKey, ...judgement, answer: JSON.parse(answer), bytes: String(body.bytes()) }
}

it('judges on a thread what the loop would judge, and gives the body back', async () => {
  const bodies = open()
  const text = JSON.stringify({ batch: [event, { ...event, type: 'no_such' }, 12], writeKey: 'pk_x' })
  for (const [bytes, coding] of [
    [Buffer.from(text), null],
    [gzipSync(text), 'gzip'],
  ] as const) {
    const result = await bodies.work('lane', raw(bytes, coding), judged)
    expect(result).toMatchObject({
      size: text.length,
      events: 3,
      writeKey: 'pk_x',
      received: 3,
      accepted: 1,
      header: { refused: [1, 2] },
      refusedTypes: { other: 2 },
      bytes: text,
    })
    expect(result.answer).toMatchObject({ ok: true, received: 3, accepted: 1, rejected: 2 })
  }
})

it('refuses on the thread what is too large or cannot be read, and goes on with the next', async () => {
  const bodies = open()
  const refusal = (bytes: Buffer, coding: Coding | null, maxBytes?: number) =>
    bodies.work('lane', raw(bytes, coding, maxBytes), judged)
  await expect(refusal(gzipSync(Buffer.alloc(100_000)), 'gzip', 99_999)).rejects.toMatchObject({
    status: 413,
    message: expect.stringContaining('99999 bytes'),
  })
  await expect(refusal(Buffer.from([0x1f, 0x8b, 1]), 'gzip')).rejects.toMatchObject({ status: 400 })
  await expect(refusal(Buffer.from(`[${Array(101).fill('{}')}]`), null)).rejects.toMatchObject({ status: 413 })
  await expect(refusal(Buffer.from(`{"a":[${Array(1001).fill('{}')}]}`), null)).rejects.toMatchObject({ status: 413 })
  await expect(refusal(Buffer.from('{'), null)).rejects.toMatchObject({ status: 400 })
  await expect(refusal(Buffer.from('[]'), null)).rejects.toMatchObject({ status: 400 })
  expect(await refusal(Buffer.from(JSON.stringify(event)), null)).toMatchObject({ accepted: 1 })
})

/** A thread that answers nothing by itself. */
class FakeThread extends EventEmitter {
  asked: Question[] = []
  terminated = 0
  unref() {}
  postMessage(question: Question) {
    this.asked.push(question)
  }
  async terminate() {
    this.terminated++
    return 0
  }
}

function fakes() {
  const threads: FakeThread[] = []
  return {
    threads,
    startThread() {
      const thread = new FakeThread()
      threads.push(thread)
      return thread as unknown as Thread
    },
  }
}

it('answers 503 for a thread that is lost, tells of it, and starts another one', async () => {
  const { threads, startThread } = fakes()
  const lost: unknown[] = []
  const bodies = open({ startThread, onLost: (error) => lost.push(error) })
  const opened = bodies.work('lane', raw(Buffer.from('12')), async (body) => body.open())
  await vi.waitFor(() => expect(threads[0]?.asked).toHaveLength(1))
  threads[0]!.emit('error', new Error('out of memory'))
  await expect(opened).rejects.toMatchObject({ status: 503, retryAfterSeconds: 1 })
  threads[0]!.emit('exit', 1)
  expect(lost).toEqual([new Error('out of memory')])
  const again = bodies.work('lane', raw(Buffer.from('12')), async (body) => body.open())
  await vi.waitFor(() => expect(threads[1]?.asked).toHaveLength(1))
  threads[1]!.emit('message', { answer: 2 })
  expect(await again).toBe(2)
})

it('hands on a failure of the thread that is no refusal', async () => {
  const { threads, startThread } = fakes()
  const bodies = open({ startThread })
  const opened = bodies.work('lane', raw(Buffer.from('12')), async (body) => body.open())
  await vi.waitFor(() => expect(threads[0]?.asked).toHaveLength(1))
  threads[0]!.emit('message', { failure: new TypeError('a bug') })
  await expect(opened).rejects.toThrow(TypeError)
})

it('ends a thread that had nothing to do for a while, and none that works', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  cleanUp.push(() => vi.useRealTimers())
  const { threads, startThread } = fakes()
  const bodies = open({ startThread, idleMs: 1000 })
  const work = async () => {
    const opened = bodies.work('lane', raw(Buffer.from('12')), async (body) => body.open())
    await new Promise((resolve) => setImmediate(resolve))
    return { opened, answer: () => threads.at(-1)!.emit('message', { answer: 2 }) }
  }
  const first = await work()
  first.answer()
  await first.opened
  vi.advanceTimersByTime(999)
  const second = await work()
  vi.advanceTimersByTime(1001)
  expect(threads[0]!.terminated).toBe(0)
  second.answer()
  await second.opened
  vi.advanceTimersByTime(1001)
  expect(threads[0]!.terminated).toBe(1)
  const third = await work()
  expect(threads).toHaveLength(2)
  third.answer()
  await third.opened
})

it('is asked of as many bodies at once as it has threads', async () => {
  const { threads, startThread } = fakes()
  const bodies = open({ startThread, threads: 2 })
  const works = [1, 2, 3].map(() => bodies.work('lane', raw(Buffer.from('12')), async (body) => body.open()))
  await vi.waitFor(() => expect(threads).toHaveLength(2))
  threads[0]!.emit('message', { answer: 2 })
  await works[0]
  await vi.waitFor(() => expect(threads[0]!.asked).toHaveLength(2))
  expect(threads).toHaveLength(2)
  for (const thread of threads) thread.emit('message', { answer: 2 })
  await Promise.all(works)
})
