import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { boundConnections, mostConnections } from './connections.ts'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

/** A server of 16 connections, two of them kept, that answers a request when told to. */
async function listen() {
  const answers: (() => void)[] = []
  const turns: string[] = []
  const closed: string[] = []
  const server: Server = createServer((req, res) => {
    const { socket } = req
    if (!connections.begin(socket, res)) return
    res.once('close', () => {
      closed.push(String(req.url))
      connections.end(socket, res)
    })
    Promise.resolve(connections.turn(socket, res)).then((isTurn) => turns.push(`${req.url} ${isTurn}`))
    const isReserved = connections.isReserved(req.socket)
    answers.push(() => res.end(isReserved ? 'reserved' : 'usual'))
    if (isReserved) answers.pop()!()
    req.resume()
  })
  const clock = { now: 0 }
  const connections = boundConnections(server, 16, 4, () => clock.now)
  const accepted: Socket[] = []
  server.on('connection', (socket: Socket) => accepted.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets: Socket[] = []
  cleanUp.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return {
    answers,
    turns,
    closed,
    clock,
    accepted,
    sockets,
    async open(): Promise<Socket> {
      const isAccepted = once(server, 'connection')
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {})
      sockets.push(socket)
      await isAccepted
      return socket
    },
  }
}

const plain = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

async function begin(server: Awaited<ReturnType<typeof listen>>, request = plain): Promise<Socket> {
  const socket = await server.open()
  const { length } = server.answers
  socket.write(request)
  while (server.answers.length === length) await new Promise((resolve) => setImmediate(resolve))
  return socket
}

it('closes the longest silent connection for a new one, then the longest idle, and none at work', async () => {
  const server = await listen()
  const working = await begin(server)
  const idle = await begin(server)
  server.answers[1]!()
  await once(idle, 'data')
  const silent = []
  for (let count = 0; count < 12; count++) silent.push(await server.open())
  const closed: string[] = []
  working.once('close', () => closed.push('working'))
  idle.once('close', () => closed.push('idle'))
  for (const [index, socket] of silent.entries()) socket.once('close', () => closed.push(`silent ${index}`))
  for (let count = 0; count < 2; count++) await once((await begin(server)) && silent[count]!, 'close')
  expect(closed).toEqual(['silent 0', 'silent 1'])
  for (let count = 2; count < 12; count++) await begin(server)
  await begin(server)
  while (!closed.includes('idle')) await new Promise((resolve) => setImmediate(resolve))
  expect(closed).not.toContain('working')
})

it('keeps a few for whoever comes when all are at work, and closes what is beyond them', async () => {
  const server = await listen()
  for (let count = 0; count < 14; count++) await begin(server)
  const reserved = await server.open()
  reserved.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  expect(String((await once(reserved, 'data'))[0])).toContain('reserved')
  // Idle now, they make room for one another, and for no more than they were.
  const others = [reserved]
  for (let count = 0; count < 3; count++) {
    const socket = await server.open()
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(String((await once(socket, 'data'))[0])).toContain('reserved')
    others.push(socket)
    while (server.closed.length < others.length) await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(others.slice(0, 2).map((socket) => socket.destroyed || once(socket, 'close')))
  expect(others.map(({ destroyed }) => destroyed)).toEqual([true, true, false, false])
})

describe('requests that are not sent to their end', () => {
  const half = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx'

  it('give way, the longest without a byte first, and one that goes on does not', async () => {
    const server = await listen()
    const closed: string[] = []
    for (let index = 0; index < 14; index++) {
      const socket = await begin(server, half)
      socket.once('close', () => closed.push(`half ${index}`))
      server.clock.now += 1000
    }
    const [slow, slowHere] = [server.sockets[0]!, server.accepted[0]!]
    for (let index = 1; index < 14; index++) {
      const { bytesRead } = slowHere
      slow.write('x')
      while (slowHere.bytesRead === bytesRead) await new Promise((resolve) => setImmediate(resolve))
      server.clock.now += 1000
      const honest = await begin(server)
      server.answers.at(-1)!()
      expect(String((await once(honest, 'data'))[0])).toContain('usual')
      const left = once(server.accepted.at(-1)!, 'close')
      honest.destroy()
      await left
      await begin(server, half)
      while (closed.length < index) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(closed).toEqual(Array.from({ length: 13 }, (_, index) => `half ${index + 1}`))
  })

  it('keep nobody out of the places that are kept for others', async () => {
    const server = await listen()
    for (let count = 0; count < 14; count++) await begin(server)
    for (let count = 0; count < 4; count++) {
      server.clock.now += 1000
      const socket = await server.open()
      socket.write(half)
      expect(String((await once(socket, 'data'))[0])).toContain('reserved')
    }
    expect(server.answers).toHaveLength(14)
  })
})

it('asks for no more than the system gives', () => {
  expect(mostConnections(2000, null)).toBe(2000)
  expect(mostConnections(2000, 20_000)).toBe(2000)
  expect(mostConnections(2000, 1024)).toBe(824)
  expect(mostConnections(2000, 100)).toBe(16)
})

describe('requests sent without waiting for answers', () => {
  const several = (count: number) =>
    Array.from({ length: count }, (_, number) => `GET /${number} HTTP/1.1\r\nHost: x\r\n\r\n`).join('')

  it('are worked on one after the other', async () => {
    const server = await listen()
    const socket = await server.open()
    socket.write(several(3))
    await expect.poll(() => server.answers.length).toBe(3)
    expect(server.turns).toEqual(['/0 true'])
    server.answers[0]!()
    await expect.poll(() => server.turns).toEqual(['/0 true', '/1 true'])
    server.answers[1]!()
    await expect.poll(() => server.turns).toEqual(['/0 true', '/1 true', '/2 true'])
    server.answers[2]!()
    await expect.poll(() => server.closed).toEqual(['/0', '/1', '/2'])
  })

  it('close with the connection of a client that leaves, those behind another too', async () => {
    const server = await listen()
    const socket = await server.open()
    socket.write(several(3))
    await expect.poll(() => server.answers.length).toBe(3)
    socket.resetAndDestroy()
    await expect.poll(() => server.closed.slice().sort()).toEqual(['/0', '/1', '/2'])
    expect(server.turns.slice().sort()).toEqual(['/0 true', '/1 false', '/2 false'])
  })

  it('end the connection when they are more than may be under way', async () => {
    const server = await listen()
    const socket = await server.open()
    const ended = once(socket, 'close')
    socket.write(several(5))
    await ended
    await expect.poll(() => server.closed).toHaveLength(4)
  })
})
