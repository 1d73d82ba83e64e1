import type { IncomingMessage } from 'node:http'
import { expect, it } from 'vitest'
import { clientAddress } from './context.ts'

const asked = (forwarded: string | undefined): IncomingMessage =>
  ({ headers: { 'x-forwarded-for': forwarded }, socket: { remoteAddress: '10.0.0.1' } }) as unknown as IncomingMessage

it.each([
  ['no proxy is trusted: what a client writes is nothing', '1.2.3.4', 0, '10.0.0.1'],
  ['one proxy: whom it saw, whatever the client wrote before', 'forged, 1.2.3.4', 1, '1.2.3.4'],
  ['two proxies: whom the outer one saw', 'forged, 1.2.3.4, 10.0.0.7', 2, '1.2.3.4'],
  ['a request past the outer one', '10.0.0.7', 2, '10.0.0.7'],
  ['nothing was added', undefined, 1, '10.0.0.1'],
  ['blanks', ' , ', 2, '10.0.0.1'],
])('%s', (_, forwarded, proxies, address) => {
  expect(clientAddress(asked(forwarded), proxies)).toBe(address)
})
