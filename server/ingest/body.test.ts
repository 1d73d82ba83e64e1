import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { AppError } from '../errors.ts'
import { type BodyLimits, readBody, readRaw } from './body.ts'
import { createBudget } from './budget.ts'

const MB = 1024 * 1024
const rules = { maxBytes: 4 * MB, timeoutMs: 60_000, minBytesPerSecond: 1024 }

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

/** Else what is held would be counted with what is only not swept yet. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

async function listen(over: Partial<BodyLimits> = {}): Promise<{ port: number; held: () => number }> {
  const budget = createBudget(256 * MB)
  const server = createServer((req, res) => {
    const holding = budget.hold()
    readBody(req, { ...rules, holding, ...over })
      .then(
        (body) => res.end(body.length > 1000 ? String(body.length) : body),
        (error: AppError) =>
          res.writeHead(error.status, { 'retry-after': String(error.retryAfterSeconds) }).end(error.message),
      )
      .finally(() => holding.release())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp.push(() => new Promise((resolve) => server.close(resolve)))
  return { port: (server.address() as AddressInfo).port, held: () => budget.heldBytes }
}

async function post(port: number, body: Uint8Array | string, headers: Record<string, string> = {}) {
  const answer = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: body as BodyInit, headers })
  return [answer.status, await answer.text()]
}

it('holds no more of bodies that are on their way than it may, and takes small ones all the same', async () => {
  const { port, held } = await listen()
  const sockets: Socket[] = []
  cleanUp.push(() => sockets.forEach((socket) => void socket.destroy()))
  let refused = 0
  const before = process.memoryUsage().arrayBuffers
  // Each stops just before its end.
  for (let i = 0; i < 120; i++) {
    const socket = connect(port, '127.0.0.1')
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (answer) => {
      expect(String(answer)).toMatch(/^HTTP\/1.1 429 [\s\S]*retry-after: [1-5]\r\n/i)
      refused++
    })
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${4 * MB}\r\n\r\n`)
    await new Promise((resolve) => socket.write(Buffer.alloc(4 * MB - 1), resolve))
  }
  // Three quarters of 256 MB are for large ones.
  await vi.waitFor(() => expect(refused).toBe(120 - 48), 20_000)
  collectGarbage()
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(260 * MB)

  expect(await post(port, 'x'.repeat(1001))).toEqual([200, '1001'])

  for (const socket of sockets) socket.destroy()
  await vi.waitFor(async () => {
    expect(await post(port, 'x'.repeat(3 * MB))).toEqual([200, String(3 * MB)])
  }, 20_000)
  await vi.waitFor(() => expect(held()).toBe(0), 20_000)
})

const text = Buffer.from('{"a":"räksmörgås"}')
const zeros = Buffer.alloc(64 * MB)

describe('encodings', () => {
  it.each<[string, Buffer, Record<string, string>]>([
    ['gzip that is said to be nothing', gzipSync(text), {}],
    ['gzip that is said to be br', gzipSync(text), { 'content-encoding': 'br' }],
    ['plain text that is said to be gzip', text, { 'content-encoding': 'gzip' }],
    ['two gzips in one', Buffer.concat([gzipSync(text.subarray(0, 5)), gzipSync(text.subarray(5))]), {}],
    ['gzip with a line end after it', Buffer.concat([gzipSync(text), Buffer.from('\r\n')]), {}],
    ['gzip with zeros after it', Buffer.concat([gzipSync(text), Buffer.alloc(100)]), {}],
    ['deflate', deflateSync(text), { 'content-encoding': 'deflate' }],
    ['raw deflate', deflateRawSync(text), { 'content-encoding': 'Deflate ' }],
    ['br', brotliCompressSync(text), { 'content-encoding': 'br' }],
    ['identity', text, { 'content-encoding': 'identity' }],
  ])('reads %s', async (_name, body, headers) => {
    const { port } = await listen()
    expect(await post(port, body, headers)).toEqual([200, String(text)])
  })

  it.each<[string, Buffer, Record<string, string>, number, RegExp]>([
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), { 'content-encoding': 'zstd' }, 415, /"zstd".*gzip, deflate or br/],
    ['two in one another', gzipSync(text), { 'content-encoding': 'gzip, br' }, 415, /gzip, deflate or br/],
    ['a name of objects', text, { 'content-encoding': '__proto__' }, 415, /gzip, deflate or br/],
    ['a gzip that is cut', gzipSync(text).subarray(0, -3), {}, 400, /gzip but cannot be inflated/],
    ['a gzip whose sum is wrong', withFlippedByte(gzipSync(text), -6), {}, 400, /gzip/],
    ['two gzips, one broken', Buffer.concat([gzipSync(text), gzipSync(text).subarray(0, 9)]), {}, 400, /gzip/],
    ['no br', Buffer.from([0xff, 0xff, 0xff]), { 'content-encoding': 'br' }, 400, /valid br/],
    ['no deflate', Buffer.from([0xff, 0xff]), { 'content-encoding': 'deflate' }, 400, /valid deflate/],
    ['a bomb of gzip', gzipSync(zeros), {}, 413, /4194304 bytes/],
    ['a bomb of many gzips', Buffer.concat(Array(80).fill(gzipSync(Buffer.alloc(MB)))), {}, 413, /4194304 bytes/],
    ['a bomb with a line end', Buffer.concat([gzipSync(zeros), Buffer.from('\n')]), {}, 413, /4194304 bytes/],
    ['a bomb of deflate', deflateSync(zeros), { 'content-encoding': 'deflate' }, 413, /4194304 bytes/],
    ['a bomb of br', brotliCompressSync(zeros), { 'content-encoding': 'br' }, 413, /4194304 bytes/],
  ])('refuses %s', async (_name, body, headers, status, message) => {
    const { port, held } = await listen()
    const answer = await post(port, body, headers)
    expect(answer).toEqual([status, expect.stringMatching(message)])
    await vi.waitFor(() => expect(held()).toBe(0), 20_000)
  })
})

function withFlippedByte(body: Buffer, at: number): Buffer {
  body[body.length + at]! ^= 1
  return body
}

/** A body of 600 bytes that comes in pieces while the clock of the server stands still but for what is said here. */
async function slowBody(rules: Partial<BodyLimits>) {
  const { port, held } = await listen(rules)
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  cleanUp.push(() => socket.destroy())
  const answered = once(socket, 'data').then(([text]) => text as string)
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 600\r\n\r\n')
  return {
    answered,
    async send(bytes: number) {
      const before = held()
      socket.write('x'.repeat(bytes))
      while (held() === before) await new Promise((resolve) => setImmediate(resolve))
    },
    pass: (ms: number) => void vi.advanceTimersByTime(ms),
  }
}

describe('a slow body', () => {
  beforeAll(() => void vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] }))
  afterAll(() => void vi.useRealTimers())
  const rules = { timeoutMs: 10_000, minBytesPerSecond: 20 }

  it('is taken however long it takes, when it keeps coming', async () => {
    const body = await slowBody(rules)
    for (let sent = 0; sent < 580; sent += 20) {
      await body.send(20)
      body.pass(990)
    }
    void body.send(20)
    expect(await body.answered).toMatch(/^HTTP\/1.1 200 /)
  })

  it('is refused when it comes too slowly', async () => {
    const body = await slowBody(rules)
    for (let second = 0; second < 10; second++) {
      await body.send(1)
      body.pass(1000)
    }
    body.pass(700)
    expect(await body.answered).toMatch(/^HTTP\/1.1 408 [\s\S]*20 bytes a second/)
  })

  it('is refused when it stops', async () => {
    const body = await slowBody(rules)
    await body.send(599)
    body.pass(10_100)
    expect(await body.answered).toMatch(/^HTTP\/1.1 408 [\s\S]*for 10000 ms/)
  })
})

describe('a ticket', () => {
  const whole = Buffer.from(`KEY${'x'.repeat(100_000)}`)
  const cases: [string, Buffer, Record<string, string>][] = [
    ['plain', whole, {}],
    ['gzip', gzipSync(whole), {}],
    ['br', brotliCompressSync(whole), { 'content-encoding': 'br' }],
    ['stored gzip', gzipSync(whole, { level: 0 }), {}],
  ]
  const ticket = (admit: (head: Buffer) => Promise<number>) => ({ ticket: { bytes: 1000, admit } })

  it.each(cases)('is asked for once, with the beginning of what is unpacked: %s', async (_name, body, headers) => {
    const heads: Buffer[] = []
    const { port } = await listen(
      ticket(async (head) => {
        heads.push(head)
        return MB
      }),
    )
    expect(await post(port, body, headers)).toEqual([200, '100003'])
    expect(heads).toHaveLength(1)
    expect(heads[0]!.subarray(0, 1000)).toEqual(whole.subarray(0, 1000))
  })

  it.each(cases)('that is not given ends the reading: %s', async (_name, body, headers) => {
    const { port, held } = await listen(
      ticket(async (head) => {
        expect(head.length).toBeLessThan(80_000)
        throw new AppError('unauthenticated', 'no key')
      }),
    )
    expect(await post(port, body, headers)).toEqual([401, 'no key'])
    expect(held()).toBe(0)
  })

  it.each([
    [
      'a gzip with a name of 70 KB',
      Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]), Buffer.alloc(70_000, 97)]),
    ],
    ['many empty gzips', Buffer.concat(Array(10_000).fill(gzipSync('')))],
  ])('is asked for with nothing by what is nothing: %s', async (_name, body) => {
    const { port } = await listen(
      ticket(async (head) => {
        throw new AppError('unauthenticated', `${head.length} bytes`)
      }),
    )
    expect(await post(port, body)).toEqual([401, '0 bytes'])
  })

  it('is not asked for by a small body, and may lower the limit', async () => {
    const { port } = await listen(ticket(async () => 5000))
    expect(await post(port, 'x'.repeat(1000))).toEqual([200, 'x'.repeat(1000)])
    expect(await post(port, 'x'.repeat(4000))).toEqual([200, '4000'])
    expect((await post(port, whole))[0]).toBe(413)
    expect((await post(port, gzipSync(whole)))[0]).toBe(413)
  })
})

describe('a body in pieces', () => {
  /** The answer to a body sent in such chunks, all at once. */
  async function inChunks(port: number, pieces: readonly string[]): Promise<string> {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    cleanUp.push(() => void socket.destroy())
    const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')
    let answer = ''
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text
    })
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
    )
    await once(socket, 'close')
    return answer
  }

  it('is whole, whatever their sizes', async () => {
    const { port } = await listen()
    for (const sizes of [[1], [1, 1, 1], [700, 1, 290], [1, 900]]) {
      const pieces = sizes.map((size, index) => String.fromCharCode(97 + index).repeat(size))
      expect(await inChunks(port, pieces)).toMatch(new RegExp(`\r\n\r\n${pieces.join('')}$`))
    }
    const sizes = Array.from({ length: 3000 }, (_, index) => [1500, 3, 40][index % 3]!)
    const answer = await inChunks(
      port,
      sizes.map((size) => 'x'.repeat(size)),
    )
    expect(answer).toMatch(new RegExp(`\r\n\r\n${sizes.reduce((sum, size) => sum + size, 0)}$`))
  })

  it('is refused when they are of a few bytes each', async () => {
    const { port, held } = await listen()
    const answer = await inChunks(port, new Array<string>(5000).fill('x'))
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*pieces of a few bytes/)
    expect(held()).toBe(0)
  })

  it('takes not much more memory than its bytes', async () => {
    const { port, held } = await listen()
    collectGarbage()
    const before = process.memoryUsage()
    const sockets = Array.from({ length: 20 }, () => connect(port, '127.0.0.1').on('error', () => {}))
    cleanUp.push(() => sockets.forEach((socket) => void socket.destroy()))
    // Never finished: 20 bodies of 320,000 bytes, 20 bytes a piece.
    const chunks = `14\r\n${'x'.repeat(20)}\r\n`.repeat(16_000)
    for (const socket of sockets)
      await new Promise((resolve) =>
        socket.write(`POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`, resolve),
      )
    await vi.waitFor(() => expect(held()).toBe(20 * 320_000), 30_000)
    collectGarbage()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    expect(heapUsed - before.heapUsed + arrayBuffers - before.arrayBuffers).toBeLessThan(4 * 20 * 320_000)
  })
})

describe('the memory of what came', () => {
  const part = () => Buffer.alloc(64 * 1024, 'x')

  /** A request whose pieces are handed in by hand. */
  function begin(over: Partial<BodyLimits> = {}) {
    const req = Object.assign(new EventEmitter(), { headers: {}, pause() {}, resume() {} })
    const holding = createBudget(256 * MB).hold()
    const reading = readRaw(req as unknown as IncomingMessage, { ...rules, holding, ...over })
    return { req, reading }
  }

  it('is given back once the body is whole', async () => {
    const { req, reading } = begin()
    const parts = [part(), part(), part()]
    for (const each of parts) req.emit('data', each)
    req.emit('end')
    expect((await reading).bytes).toHaveLength(3 * 64 * 1024)
    expect(parts.map(({ length }) => length)).toEqual([0, 0, 0])
  })

  it('is given back when the body is refused, with all that comes after', async () => {
    const { req, reading } = begin({ maxBytes: 100_000 })
    const parts = [part(), part(), part()]
    for (const each of parts) req.emit('data', each)
    await expect(reading).rejects.toMatchObject({ code: 'too_large' })
    expect(parts.map(({ length }) => length)).toEqual([0, 0, 0])
  })

  it('is given back when the client goes', async () => {
    const { req, reading } = begin()
    const parts = [part(), part()]
    for (const each of parts) req.emit('data', each)
    req.emit('close')
    await expect(reading).rejects.toMatchObject({ code: 'invalid_input' })
    expect(parts.map(({ length }) => length)).toEqual([0, 0])
  })

  it('is left where zlib may have it in its hands: the beginning that was looked at', async () => {
    const { req, reading } = begin({ ticket: { bytes: 1000, admit: async () => 4 * MB } })
    const parts = [part(), part()]
    req.emit('data', parts[0])
    // It is looked at before anything else is read.
    await new Promise((resolve) => setImmediate(resolve))
    req.emit('data', parts[1])
    req.emit('end')
    expect((await reading).bytes).toHaveLength(2 * 64 * 1024)
    expect(parts.map(({ length }) => length)).toEqual([64 * 1024, 0])
  })
})
