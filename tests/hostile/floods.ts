import { randomBytes } from 'node:crypto'
import { Agent } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { post } from '../faults/post.ts'
import { json } from './case.ts'

/** The target of an attack, and the key it uses. */
export interface Target {
  port: number
  /** A browser key, which is public; null if no key is required. */
  browserKey: string | null
  running: () => boolean
  /** Number of answers by status; 0 means that the connection was closed. */
  statuses: Record<number, number>
}

const MB = 1024 * 1024
const wide = gzipSync(`[${Array(1_300_000).fill('{}').join(',')}]`)
const values = gzipSync(
  `{"batch":[${Array(330)
    .fill(`{"a":[${Array(1000).fill('{}').join(',')}]}`)
    .join(',')}]}`,
)
const plain = Buffer.from(
  `[${Array(100)
    .fill(json.replace('"/"', `"/${'x'.repeat(9000)}"`))
    .join(',')}]`,
)
const tooLong = Buffer.alloc(8 * MB, 'x')
const nearlySmall = Buffer.from(`[${Array(2400).fill('{"a":"0123456789"}').join(',')}]`)
const honestLooking = gzipSync(plain)
const unfinished = gzipSync(Buffer.alloc(4 * MB - 9, '"'))
const purchase = `{"type":"purchase","userId":"hostile","sessionId":"s","payload":{"orderId":"h","revenue":1,"currency":"EUR","items":[${Array(10_000).fill('{}').join(',')}]}}`
const purchases = gzipSync(`[${Array(30).fill(purchase).join(',')}]`)

/** Posts the same body repeatedly on many connections at once. */
async function flood(
  target: Target,
  connections: number,
  body: () => Buffer,
  headers: () => Record<string, string>,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (target.running()) {
        const answer = await post({ port: target.port, agent }, body(), headers())
        const status = 'status' in answer ? answer.status : 0
        target.statuses[status] = (target.statuses[status] ?? 0) + 1
        if (status === 0) await sleep(20)
      }
    }),
  )
  agent.destroy()
}

/** Keeps many connections open, each with the start of a request and one more byte now and then. */
async function hold(target: Target, connections: number, start: string, drip: string): Promise<void> {
  const sockets = new Set<Socket>()
  while (target.running()) {
    for (let opened = 0; sockets.size < connections && opened < 100; opened++) {
      const socket = connect(target.port, '127.0.0.1')
      // Write before waiting for the connection, so that this is sent before the first of the following bytes.
      if (start) socket.write(start)
      sockets.add(socket)
      socket.on('data', () => {}).on('error', () => {})
      socket.once('close', () => sockets.delete(socket))
    }
    for (const socket of sockets) if (drip && socket.writable && socket.writableLength < 1000) socket.write(drip)
    await sleep(100)
  }
  for (const socket of sockets) socket.destroy()
}

const none = () => ({})

/** Floods by strangers, all at the same time. If keys are required, some use none and some a browser key. */
export const floods: Record<string, (target: Target, idle: number) => Promise<void>> = {
  'small gzips of a million objects': (target) => flood(target, 20, () => wide, none),
  'gzips of four megabytes without a key': (target) => flood(target, 20, () => unfinished, none),
  'gzips of a million objects with a browser key': (target) =>
    flood(
      target,
      10,
      () => wide,
      () => keyOf(target),
    ),
  'a third of a million objects with a browser key': (target) =>
    flood(
      target,
      5,
      () => values,
      () => keyOf(target),
    ),
  'full posts with a browser key': (target) =>
    flood(
      target,
      5,
      () => honestLooking,
      () => keyOf(target),
    ),
  'full posts with a browser key, plain': (target) =>
    flood(
      target,
      5,
      () => plain,
      () => keyOf(target),
    ),
  'bodies that are too long by what they say': (target) =>
    flood(
      target,
      5,
      () => tooLong,
      () => keyOf(target),
    ),
  'bodies that are just not large with a browser key': (target) =>
    flood(
      target,
      10,
      () => nearlySmall,
      () => keyOf(target),
    ),
  'purchases of empty items with a browser key': (target) =>
    flood(
      target,
      2,
      () => purchases,
      () => keyOf(target),
    ),
  'random keys': (target) =>
    flood(
      target,
      10,
      () => Buffer.from(json),
      () => ({ 'x-write-key': `pk_${randomBytes(32).toString('base64url')}` }),
    ),
  'bodies that never end': (target) =>
    hold(
      target,
      100,
      `POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: ${4 * MB}\r\n${keyLine(target)}\r\n${'x'.repeat(60_000)}`,
      'x'.repeat(900),
    ),
  'headers that never end': (target) => hold(target, 200, 'POST /events HTTP/1.1\r\nHost: x\r\n', 'X-A: b\r\n'),
  'idle connections': (target, idle) => hold(target, idle, '', ''),
}

function keyOf({ browserKey }: Target): Record<string, string> {
  return browserKey === null ? {} : { 'x-write-key': browserKey }
}

function keyLine({ browserKey }: Target): string {
  return browserKey === null ? '' : `X-Write-Key: ${browserKey}\r\n`
}
