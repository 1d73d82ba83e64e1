import type { Script } from './raw.ts'

export interface HostileCase {
  name: string
  script: Script
  /** Allowed statuses of the first answer; empty if none is expected. */
  may: readonly number[]
  /** Whether closing the connection without an answer is allowed too. */
  mayClose?: boolean
  isHead?: boolean
  /** Whether the answer may be an HTML page instead of JSON. */
  mayBePage?: boolean
  /** Maximum number of answers on the connection; more would mean that a request was smuggled. */
  most?: number
}

export const event = { type: 'page_view', userId: 'hostile', sessionId: 's', payload: { url: '/' } }
export const json = JSON.stringify(event)

/** A complete request that closes its connection. `headers`: header lines, each with its line ending. */
export function request(
  body: string | Buffer,
  { method = 'POST', path = '/events', headers = '', length = Buffer.byteLength(body) as number | null } = {},
): Buffer {
  const head = `${method} ${path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n${headers}${
    length === null ? '' : `Content-Length: ${length}\r\n`
  }\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body as string)])
}
