import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { type HostileCase, json, request } from './case.ts'

const MB = 1024 * 1024
const gzip = gzipSync(json)
const spaces = Buffer.alloc(64 * MB, 0x20)
const objects = Buffer.from(`[${Array(1_400_000).fill('{}').join(',')}]`)
const flipped = (at: number) => {
  const bytes = Buffer.from(gzip)
  bytes[at < 0 ? bytes.length + at : at]! ^= 0xff
  return bytes
}
const withName = Buffer.concat([
  Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]),
  Buffer.alloc(70_000, 0x61),
  Buffer.from([0]),
  deflateRawSync(json),
])

const cases: [name: string, body: Buffer | string, coding: string, may: number[]][] = [
  ['gzip', gzip, 'gzip', [202]],
  ['gzip under no name', gzip, '', [202]],
  ['gzip called br', gzip, 'br', [202]],
  ['gzip called deflate', gzip, 'deflate', [202]],
  ['gzip called x-gzip', gzip, 'x-gzip', [202]],
  ['text called gzip', json, 'gzip', [202]],
  ['deflate', deflateSync(json), 'deflate', [202]],
  ['raw deflate', deflateRawSync(json), 'deflate', [202]],
  ['br', brotliCompressSync(json), 'br', [202]],
  ['identity', json, 'identity', [202]],
  ['deflate under no name', deflateSync(json), '', [400]],
  ['br under no name', brotliCompressSync(json), '', [400]],
  ['text called br', json, 'br', [400]],
  ['text called deflate', json, 'deflate', [400]],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0]), 'zstd', [415]],
  ['compress', gzip, 'compress', [415]],
  ['two names', gzip, 'gzip, gzip', [415]],
  ['a name of 1,000 letters', gzip, 'x'.repeat(1000), [415]],
  ['a name like a property', gzip, 'constructor', [415]],
  ['two bytes of gzip', Buffer.from([0x1f, 0x8b]), 'gzip', [400]],
  ['a gzip header alone', gzip.subarray(0, 10), 'gzip', [400]],
  ['half a gzip', gzip.subarray(0, gzip.length / 2), 'gzip', [400]],
  ['a gzip without its sum', gzip.subarray(0, -8), 'gzip', [400]],
  ['a gzip without its last byte', gzip.subarray(0, -1), 'gzip', [400]],
  ['a gzip with another sum', flipped(-8), 'gzip', [400]],
  ['a gzip with another length', flipped(-1), 'gzip', [400]],
  ['a gzip of another method', flipped(2), 'gzip', [400]],
  ['a gzip of all flags', flipped(3), 'gzip', [400]],
  ['a gzip that breaks in the middle', flipped(20), 'gzip', [400]],
  ['a gzip with a name of 70 KB', withName, 'gzip', [400]],
  ['an empty gzip', gzipSync(''), 'gzip', [400]],
  ['a gzip with a line end', Buffer.concat([gzip, Buffer.from('\r\n')]), 'gzip', [202]],
  ['a gzip with zeros', Buffer.concat([gzip, Buffer.alloc(1000)]), 'gzip', [202]],
  ['a gzip with text after it', Buffer.concat([gzip, Buffer.from('signature')]), 'gzip', [202]],
  ['two gzips of one event', Buffer.concat([gzipSync(json.slice(0, 9)), gzipSync(json.slice(9))]), 'gzip', [202]],
  ['two whole gzips', Buffer.concat([gzip, gzip]), 'gzip', [400]],
  ['10,000 empty gzips', Buffer.concat(Array(10_000).fill(gzipSync(''))), 'gzip', [400, 413]],
  ['a gzip of a gzip', gzipSync(gzip), 'gzip', [400]],
  ['a gzip of gzips of a bomb', gzipSync(gzipSync(spaces)), 'gzip', [400]],
  ['a bomb of blanks', gzipSync(spaces), 'gzip', [413]],
  ['a bomb of many gzips', Buffer.concat(Array(200).fill(gzipSync(Buffer.alloc(MB, 0x20)))), 'gzip', [413]],
  ['a bomb of a million objects', gzipSync(objects), 'gzip', [413]],
  ['a bomb of opening arrays', gzipSync(Buffer.alloc(4 * MB - 1, '[')), 'gzip', [400]],
  ['a bomb of a text that does not end', gzipSync(Buffer.alloc(4 * MB - 1, '"')), 'gzip', [400]],
  ['a bomb of br', brotliCompressSync(spaces), 'br', [413]],
  ['a bomb of deflate', deflateSync(spaces), 'deflate', [413]],
  ['a bomb of raw deflate', deflateRawSync(spaces), 'deflate', [413]],
  ['random bytes called br', Buffer.from(Array.from({ length: 999 }, (_, n) => (n * 7919) % 251)), 'br', [400, 413]],
]

export const encodingCases: HostileCase[] = cases.flatMap(([name, body, coding, may]): HostileCase[] => {
  const headers = coding === '' ? '' : `Content-Encoding: ${coding}\r\n`
  return [
    { name: `encoding: ${name}`, script: request(body, { headers }), may },
    {
      name: `encoding, to the sign-in: ${name}`,
      script: request(body, {
        path: '/api/auth/sign-in/email',
        headers: `${headers}Content-Type: application/json\r\n`,
      }),
      may: [400, 401, 413, 415, 429],
    },
  ]
})
