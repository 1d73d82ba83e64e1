import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { createRandom } from '../../server/demo/random.ts'
import { compareStore } from './compare.ts'
import { createEventMaker, type PostedEvent } from './events.ts'
import { ensure, type Fault } from './fault.ts'
import { startLoad } from './load.ts'
import { Obligations } from './obligations.ts'
import { settled } from './shop-process.ts'

const BODY_TIMEOUT_MS = 700

interface Hostile {
  port: number
  obligations: Obligations
  make: () => PostedEvent
}

/**
 * Sends bytes in several writes on one connection. Resolves to the statuses and bodies of all answers, once the
 * connection ends or the time is up.
 */
async function talk(port: number, send: (socket: Socket) => Promise<void> | void, untilMs = 20_000): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  const over = new Promise<void>((resolve) => {
    socket
      .once('error', () => resolve())
      .once('end', () => resolve())
      .once('close', () => resolve())
  })
  await send(socket)
  await Promise.race([over, sleep(untilMs)])
  socket.destroy()
  return text
}

function head(length: number | string, more = ''): string {
  return `POST /events HTTP/1.1\r\nhost: shop\r\n${more}${typeof length === 'number' ? `content-length: ${length}` : length}\r\n\r\n`
}

function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => Number(match[1]))
}

const lastAnswer = 'connection: close\r\n'

/** Hostile requests; each checks its answer, and that the store contains what the answer says. */
const attacks: Record<string, (hostile: Hostile) => Promise<void>> = {
  async oversizeByLength({ port }) {
    const text = await talk(port, (socket) => void socket.write(head(50 * 1024 ** 3, lastAnswer)))
    ensure(statuses(text)[0] === 413, `50 GB announced: ${text.slice(0, 200)}`)
  },
  async oversizeInPieces({ port }) {
    const piece = `100000\r\n${'x'.repeat(0x100000)}\r\n`
    const text = await talk(port, async (socket) => {
      socket.write(head('transfer-encoding: chunked', lastAnswer))
      for (let sent = 0; sent < 10 && !socket.destroyed; sent++) if (!socket.write(piece)) await sleep(1)
    })
    ensure(statuses(text)[0] === 413, `10 MB in pieces: ${text.slice(0, 200)}`)
  },
  async gzipBomb({ port }) {
    const bomb = await promisify(gzip)(Buffer.alloc(64 * 1024 * 1024, 0x20))
    const text = await talk(
      port,
      (socket) => void socket.write(Buffer.concat([Buffer.from(head(bomb.length, lastAnswer)), bomb])),
    )
    ensure(statuses(text)[0] === 413, `a gzip bomb: ${text.slice(0, 200)}`)
  },
  async deepNesting({ port }) {
    const body = '['.repeat(1_000_000)
    const text = await talk(port, (socket) => void socket.write(head(body.length, lastAnswer) + body))
    ensure(statuses(text)[0] === 400, `a million brackets: ${text.slice(0, 200)}`)
  },
  async slowBody({ port, make }) {
    const body = JSON.stringify(make())
    const text = await talk(port, async (socket) => {
      socket.on('error', () => {})
      socket.write(head(body.length, lastAnswer))
      for (const byte of body.slice(0, 10)) {
        socket.write(byte)
        await sleep(BODY_TIMEOUT_MS / 5)
      }
    })
    ensure(statuses(text)[0] === 408, `a body byte by byte: ${text.slice(0, 200)}`)
  },
  async cutBody({ port, make }) {
    const body = JSON.stringify(make())
    const text = await talk(
      port,
      async (socket) => {
        socket.write(head(body.length) + body.slice(0, -5))
        await sleep(20)
        socket.destroy()
      },
      100,
    )
    ensure([undefined, 400].includes(statuses(text)[0]), `a cut body was answered: ${text.slice(0, 200)}`)
  },
  async halfClosed({ port, obligations, make }) {
    const event = make()
    const body = JSON.stringify(event)
    obligations.offer([event])
    const text = await talk(port, (socket) => void socket.end(head(Buffer.byteLength(body)) + body))
    ensure(statuses(text)[0] === 202, `half closed: ${text.slice(0, 200)}`)
    obligations.promise([event], [event.eventId!.trim()])
  },
  async goneBeforeTheAnswer({ port, obligations, make }) {
    const event = make()
    const body = JSON.stringify(event)
    obligations.offer([event])
    await talk(
      port,
      (socket) => void socket.write(head(Buffer.byteLength(body)) + body, () => socket.resetAndDestroy()),
      100,
    )
  },
  async pipelined({ port, obligations, make }) {
    const events = Array.from({ length: 20 }, make)
    for (const event of events) obligations.offer([event])
    const requests = events.map((event, index) => {
      const body = JSON.stringify(event)
      return head(Buffer.byteLength(body), index === events.length - 1 ? lastAnswer : '') + body
    })
    const text = await talk(port, (socket) => void socket.write(requests.join('')))
    const answered = [...text.matchAll(/"eventIds":\["([^"]*)"\]/g)].map((match) => match[1])
    ensure(
      answered.join() === events.map((event) => event.eventId!.trim()).join(),
      `20 pipelined requests: ${statuses(text)}; ids ${answered.length}`,
    )
    for (const event of events) obligations.promise([event], [event.eventId!.trim()])
  },
}

export const hostileRequests: Fault = {
  id: 'F11',
  title: 'oversize, gzip bombs, slow, cut, half-closed and pipelined requests among the others',
  short: { rounds: 1, seconds: 0 },
  long: { rounds: 30, seconds: 0 },
  async run({ seed, rounds, data, shop, step }) {
    const obligations = new Obligations()
    const own = await data()
    const server = await shop(own, { INGEST_BODY_TIMEOUT_MS: String(BODY_TIMEOUT_MS) })
    await server.start()
    const load = startLoad({ seed, obligations, port: () => server.port, clients: 4, eventsPerSecond: 300 })
    const makeEvent = createEventMaker(createRandom(seed, 11), `s${seed}hostile`)
    const hostile: Hostile = { port: server.port, obligations, make: () => makeEvent(true) }
    for (let round = 1; round <= rounds; round++) {
      step(`round ${round} of ${rounds}`)
      obligations.step = `round ${round}`
      await Promise.all(Object.values(attacks).map((attack) => attack(hostile)))
    }
    const counts = await load.stop()
    const { memory } = await settled(server.url)
    ensure(counts.accepted === counts.requests, `innocent requests failed: ${JSON.stringify(counts)}`)
    const comparison = await compareStore(own, obligations)
    ensure((await server.stop()) === 0, 'the server did not end well')
    const figures = { attacks: rounds * Object.keys(attacks).length, innocent: counts.requests, rss: memory.rss }
    return { comparisons: [comparison], figures }
  },
}
