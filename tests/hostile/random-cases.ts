import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { json, request } from './case.ts'
import { judge } from './judge.ts'

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', '_bsontype', '$where', '', 'a.b'))
const payload = fc.dictionary(text, fc.jsonValue({ maxDepth: 5 }), { maxKeys: 8 })
const field = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom('hostile', 's', 'purchase', 'page_view', 'search'),
)
const likeAnEvent = fc.record(
  { type: field, userId: field, sessionId: field, eventId: field, occurredAt: field, payload, anonymousId: field },
  { requiredKeys: ['type'] },
)
const likeARequest = fc.oneof(
  likeAnEvent,
  fc.array(fc.oneof(likeAnEvent, fc.jsonValue({ maxDepth: 2 })), { maxLength: 5 }),
  fc.record({ batch: fc.array(likeAnEvent, { maxLength: 5 }), writeKey: field }),
)

/** A valid body with some bytes changed, removed or added. */
const damaged = fc
  .array(fc.tuple(fc.nat(json.length - 1), fc.integer({ min: 0, max: 255 }), fc.constantFrom('set', 'cut', 'add')), {
    minLength: 1,
    maxLength: 4,
  })
  .map((changes) => {
    let bytes = Buffer.from(json)
    for (const [at, byte, how] of changes) {
      const part = how === 'cut' ? [] : [byte]
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(part), bytes.subarray(how === 'add' ? at : at + 1)])
    }
    return bytes
  })

const body = fc.oneof(
  fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
  fc.json({ maxDepth: 8 }).map((words) => Buffer.from(words)),
  likeARequest.map((value) => Buffer.from(JSON.stringify(value) ?? '')),
  damaged,
)

const hostile = fc.record({
  body,
  isGzipped: fc.boolean(),
  coding: fc.constantFrom('', '', '', 'gzip', 'deflate', 'br'),
  path: fc.constantFrom('/events', '/events', '/events', '/api/auth/sign-in/email', '/trpc/auth.signIn'),
})

/** Sends random requests for `forMs` and resolves to their number. Throws with the smallest that fails. */
export async function sendRandom(port: number, keysRequired: boolean, forMs: number): Promise<number> {
  let count = 0
  await fc.assert(
    fc.asyncProperty(hostile, async ({ body: bytes, isGzipped, coding, path }) => {
      count++
      const named = coding === '' ? '' : `Content-Encoding: ${coding}\r\n`
      const script = request(isGzipped ? gzipSync(bytes) : bytes, {
        path,
        headers: `${named}Content-Type: application/json\r\n`,
      })
      const wrong = await judge(port, { name: 'random', script, may: [202, 400, 401, 413] }, keysRequired)
      if (wrong) throw new Error(wrong)
    }),
    { numRuns: 1_000_000, interruptAfterTimeLimit: forMs, markInterruptAsFailure: false },
  )
  return count
}
