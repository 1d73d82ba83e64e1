import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type HostileCase, json, request } from './case.ts'
import type { Script } from './raw.ts'

const { length } = json
const smuggled = 'POST /events HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\n[]'
const start = 'POST /events HTTP/1.1\r\nHost: shop\r\n'
const chunked = `${length.toString(16)}\r\n${json}\r\n0\r\n\r\n`

/** Each must be refused or read in exactly one way: never more answers than requests. */
const shapes: [name: string, bytes: string, may: number[], most?: number][] = [
  [
    'a length and pieces',
    `${start}Content-Length: ${length}\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}${smuggled}`,
    [400],
  ],
  [
    'pieces and a length',
    `${start}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${chunked}${smuggled}`,
    [400],
  ],
  ['two lengths', `${start}Content-Length: ${length}\r\nContent-Length: 2\r\n\r\n${json}`, [400]],
  ['two equal lengths', `${start}Content-Length: ${length}\r\nContent-Length: ${length}\r\n\r\n${json}`, [400]],
  ['a list of lengths', `${start}Content-Length: ${length}, ${length}\r\n\r\n${json}`, [400]],
  ['a negative length', `${start}Content-Length: -1\r\n\r\n${json}`, [400]],
  ['a length with a plus', `${start}Content-Length: +${length}\r\n\r\n${json}`, [400]],
  ['a length in hex', `${start}Content-Length: 0x10\r\n\r\n${json}`, [400]],
  ['a length that is no number', `${start}Content-Length: ten\r\n\r\n${json}`, [400]],
  ['a length beyond 2^64', `${start}Content-Length: 99999999999999999999\r\n\r\n${json}`, [400]],
  ['a length of 50 GB', `${start}Content-Length: 53687091200\r\n\r\n`, [413]],
  ['an empty length', `${start}Content-Length: \r\n\r\n${json}`, [400]],
  ['a blank before the colon', `${start}Content-Length : ${length}\r\n\r\n${json}`, [400]],
  ['a folded header', `${start}X-A: b\r\n c\r\nContent-Length: ${length}\r\n\r\n${json}`, [400]],
  ['a folded length', `${start}Content-Length:\r\n ${length}\r\n\r\n${json}`, [400, 202]],
  ['bare line ends', `POST /events HTTP/1.1\nHost: shop\nContent-Length: ${length}\n\n${json}`, [400]],
  ['a bare return', `POST /events HTTP/1.1\rHost: shop\rContent-Length: 2\r\r[]`, [400]],
  ['one bare line end', `${start}X-A: b\nContent-Length: ${length}\r\n\r\n${json}`, [400]],
  ['a line end in a value', `${start}X-A: b\rTransfer-Encoding: chunked\r\n\r\n${chunked}`, [400]],
  ['a NUL in a value', `${start}X-A: b\0c\r\n\r\n`, [400]],
  ['a header without a name', `${start}: value\r\n\r\n`, [400]],
  ['a header without a colon', `${start}Header\r\n\r\n`, [400]],
  ['a header with letters that are none', `${start}X-\u00e9\u00e9: 1\r\n\r\n`, [400]],
  ['pieces of another kind', `${start}Transfer-Encoding: gzip\r\n\r\n${json}`, [400]],
  ['pieces twice', `${start}Transfer-Encoding: chunked, chunked\r\n\r\n${chunked}${smuggled}`, [400, 202]],
  ['pieces and identity', `${start}Transfer-Encoding: chunked, identity\r\n\r\n${chunked}`, [400]],
  ['pieces under a name nearly right', `${start}Transfer-Encoding: xchunked\r\n\r\n${chunked}`, [400]],
  ['a piece without a size', `${start}Transfer-Encoding: chunked\r\n\r\n\r\n${json}`, [400]],
  ['a piece of a negative size', `${start}Transfer-Encoding: chunked\r\n\r\n-1\r\n${json}`, [400]],
  ['a piece of a huge size', `${start}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n${json}`, [400]],
  ['a piece longer than it says', `${start}Transfer-Encoding: chunked\r\n\r\n3\r\n${json}\r\n0\r\n\r\n`, [400]],
  ['a piece that ends in a bare line end', `${start}Transfer-Encoding: chunked\r\n\r\n2\n[]\n0\n\n`, [400]],
  [
    'a piece with an extension of 70 KB',
    `${start}Transfer-Encoding: chunked\r\n\r\n2;${'x'.repeat(70_000)}\r\n[]\r\n0\r\n\r\n`,
    [413],
  ],
  [
    '10,000 pieces of one byte',
    `${start}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\n \r\n'.repeat(10_000)}0\r\n\r\n`,
    [400],
  ],
  [
    'a trailer',
    `${start}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${length.toString(16)}\r\n${json}\r\n0\r\nX-Write-Key: sk_x\r\n\r\n`,
    [202, 401],
  ],
  [
    'trailers of 70 KB',
    `${start}Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`,
    [400, 431],
  ],
  [
    'a GET with a body',
    `GET /health/live HTTP/1.1\r\nHost: shop\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    [200],
  ],
  ['bytes after the request', `${start}Content-Length: 2\r\n\r\n[]rubbish\r\n\r\n`, [400], 2],
  ['three requests at once, the last not whole', `${smuggled}${smuggled}POST /events HTTP/1.1\r\nHost`, [400], 3],
  ['twenty requests at once', smuggled.repeat(20), [400], 20],
  ['no Host', 'GET /health/live HTTP/1.1\r\n\r\n', [400]],
  ['two Hosts', 'GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', [200, 400]],
  ['a Host that is none', 'GET /login HTTP/1.1\r\nHost: a b<>\r\n\r\n', [400]],
  ['a Host with a path', 'GET /login HTTP/1.1\r\nHost: a/b\r\n\r\n', [400]],
  ['HTTP/0.9', 'GET /health/live\r\n\r\n', [200, 400]],
  ['HTTP/1.0 without a Host', 'GET /health/live HTTP/1.0\r\n\r\n', [200]],
  ['HTTP/2.0 as version', 'GET /health/live HTTP/2.0\r\nHost: shop\r\n\r\n', [200, 400]],
  ['HTTP/9.9 as version', 'GET / HTTP/9.9\r\nHost: shop\r\n\r\n', [400]],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', [400]],
  [
    'a change to HTTP/2',
    `GET /health/live HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
    [200],
  ],
  [
    'a change to WebSocket',
    `GET /health/live HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    [200],
  ],
  ['the hello of TLS', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'.padEnd(512, 'x'), [400]],
  ['SSH', 'SSH-2.0-OpenSSH_9.6\r\n', [400]],
  ['SMTP', 'EHLO shop\r\n', [400]],
  ['line ends alone', '\r\n'.repeat(5000), [408]],
  ['NULs alone', '\0'.repeat(5000), [400]],
  ['a name of a method of 10,000 letters', `${'A'.repeat(10_000)} / HTTP/1.1\r\n\r\n`, [400]],
  ['an address of 20 KB', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: shop\r\n\r\n`, [431]],
  ['a header of 20 KB', `GET / HTTP/1.1\r\nHost: shop\r\nX-A: ${'x'.repeat(20_000)}\r\n\r\n`, [431]],
  ['a header of a megabyte', `GET / HTTP/1.1\r\nHost: shop\r\nX-A: ${'x'.repeat(1024 * 1024)}\r\n\r\n`, [431]],
  ['1,900 headers', `GET /health/live HTTP/1.1\r\nHost: shop\r\n${'a:b\r\n'.repeat(1900)}\r\n`, [200, 431]],
  ['5,000 headers', `GET /health/live HTTP/1.1\r\nHost: shop\r\n${'a:b\r\n'.repeat(5000)}\r\n`, [200, 431]],
  ['a name of a header of 20 KB', `GET / HTTP/1.1\r\nHost: shop\r\n${'x'.repeat(20_000)}: 1\r\n\r\n`, [431]],
  ['Expect: something', `${start}Expect: something\r\nContent-Length: 2\r\n\r\n[]`, [417]],
  ['Expect: 100-continue before 50 GB', `${start}Expect: 100-continue\r\nContent-Length: 53687091200\r\n\r\n`, [413]],
  ['Expect: 100-continue for GET', 'GET /health/live HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\n\r\n', [200]],
]

/** Sends parts with a pause of `everyMs` after each, until the connection is closed. */
const pieces =
  (parts: readonly string[], everyMs: number): Script =>
  async (socket) => {
    socket.on('error', () => {})
    for (const part of parts) {
      if (socket.destroyed) return
      socket.write(part)
      await sleep(everyMs)
    }
  }
const halfClosed =
  (bytes: string | Buffer): Script =>
  (socket: Socket) =>
    void socket.end(bytes)
const head = `${start}Connection: close\r\nContent-Length: ${length}\r\n\r\n`

const slow: HostileCase[] = [
  { name: 'slow: nothing at all', script: () => {}, may: [408], mayClose: true },
  { name: 'slow: headers that stop', script: 'POST /events HTTP/1.1\r\nHo', may: [408] },
  {
    name: 'slow: headers that never end',
    script: pieces(Array(60).fill('X-A: b\r\n').toSpliced(0, 0, start), 100),
    may: [408],
  },
  { name: 'slow: a body that does not come', script: head, may: [408] },
  { name: 'slow: a body that stops', script: head + json.slice(0, 20), may: [408] },
  { name: 'slow: a piece that stops', script: `${start}Transfer-Encoding: chunked\r\n\r\nff\r\n{`, may: [408] },
  { name: 'slow: a body of a byte at a time', script: pieces([head, ...json.slice(0, 60)], 100), may: [408] },
  {
    name: 'slow: a sign-in that stops',
    script: request('{', {
      path: '/api/auth/sign-in/email',
      headers: 'Content-Type: application/json\r\n',
      length: 99,
    }),
    may: [408],
  },
  {
    name: 'slow: a procedure that stops',
    script: request('{', { path: '/trpc/auth.signIn', headers: 'Content-Type: application/json\r\n', length: 99 }),
    may: [408],
  },
  {
    name: 'slow: a form that stops',
    script: request('email=', {
      path: '/login',
      headers: 'Content-Type: application/x-www-form-urlencoded\r\n',
      length: 99,
    }),
    may: [408],
  },
  { name: 'half closed: after the body', script: halfClosed(head + json), may: [202, 401] },
  {
    name: 'half closed: after the body, on a connection that stays',
    script: halfClosed(`${start}Content-Length: ${length}\r\n\r\n${json}`),
    may: [202, 401],
  },
  { name: 'half closed: in the body', script: halfClosed(head + json.slice(0, 9)), may: [400], mayClose: true },
  {
    name: 'half closed: in the headers',
    script: halfClosed('POST /events HTTP/1.1\r\nHost'),
    may: [400],
    mayClose: true,
  },
  { name: 'half closed: at once', script: halfClosed(''), may: [], mayClose: true },
  {
    name: 'half closed: after pieces',
    script: halfClosed(`${start}Transfer-Encoding: chunked\r\n\r\n${chunked}`),
    may: [202, 401],
  },
  {
    name: 'gone: before the answer',
    script: async (socket) => {
      socket.write(head + json, () => socket.resetAndDestroy())
      await once(socket, 'close')
    },
    may: [202, 401],
    mayClose: true,
  },
  {
    name: 'gone: in the body',
    script: async (socket) => {
      socket.write(head + json.slice(0, 9), () => socket.resetAndDestroy())
      await once(socket, 'close')
    },
    may: [],
    mayClose: true,
  },
]

export const framingCases: HostileCase[] = [
  ...shapes.map(
    ([name, bytes, may, most = 1]): HostileCase => ({
      name: `framing: ${name}`,
      script: Buffer.from(bytes, 'latin1'),
      may,
      most,
    }),
  ),
  ...slow,
]
