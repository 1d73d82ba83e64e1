import type { Script } from './raw.ts'

export interface HostileCase {
  name: string
  script: Script
  /** Statuses that the first answer may have; none where the connection may be closed without one. */
  may: readonly number[]
  /** Whether no answer at all is right as well. */
  mayClose?: boolean
  isHead?: boolean
  /** Whether a page may answer instead of JSON. */
  mayBePage?: boolean
  /** How many answers there may be on the connection; more would be a request that was smuggled. */
  most?: number
}

export const event = { type: 'page_view', userId: 'hostile', sessionId: 's', payload: { url: '/' } }
export const json = JSON.stringify(event)

/** A whole request that ends its connection. `headers` are lines with their ends. */
export function request(
  body: string | Buffer,
  { method = 'POST', path = '/events', headers = '', length = Buffer.byteLength(body) as number | null } = {},
): Buffer {
  const head = `${method} ${path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n${headers}${
    length === null ? '' : `Content-Length: ${length}\r\n`
  }\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body as string)])
}
