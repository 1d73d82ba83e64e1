import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { foreignOrigin } from './origin.ts'

const posted = (headers: Record<string, string>, method = 'POST') => ({ method, headers }) as unknown as IncomingMessage
const none = { publicUrl: undefined, trustProxy: false }
const at = { ...none, publicUrl: 'https://veritas.example/' }

describe('a request that may change something', () => {
  it.each([
    ['of a tool', { host: 'a.example' }, none],
    ['of our own page', { host: 'a.example', origin: 'https://a.example' }, none],
    [
      'of our own page, as the browser says',
      { host: '10.0.0.7:3000', origin: 'https://a.example', 'sec-fetch-site': 'same-origin' },
      none,
    ],
    [
      'of our own page behind a proxy that changes Host',
      { host: '10.0.0.7:3000', origin: 'https://veritas.example' },
      at,
    ],
    [
      'of our own page, as a trusted proxy says',
      { host: '10.0.0.7', origin: 'https://a.example', 'x-forwarded-host': 'a.example' },
      { ...none, trustProxy: true },
    ],
  ])('%s is taken', (_, headers, settings) => {
    expect(foreignOrigin(posted(headers as Record<string, string>), settings)).toBeNull()
  })

  it.each([
    ['of another site', { host: 'a.example', origin: 'https://evil.example' }, at],
    [
      'of another site, whatever it says of the host',
      { host: 'a.example', origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' },
      at,
    ],
    ['of another site that the browser names no further', { host: 'a.example', 'sec-fetch-site': 'cross-site' }, none],
    ['of a page without an origin', { host: 'a.example', origin: 'null' }, none],
    ['of another port', { host: 'a.example', origin: 'https://a.example:8443', 'sec-fetch-site': 'same-site' }, none],
  ])('%s is refused', (_, headers, settings) => {
    expect(foreignOrigin(posted(headers as Record<string, string>), settings)).toContain('page of another site')
  })

  it('tells what to set where a proxy may have changed the Host', () => {
    const told = foreignOrigin(posted({ host: '10.0.0.7:3000', origin: 'https://a.example' }), none)
    expect(told).toContain('https://a.example')
    expect(told).toContain('10.0.0.7:3000')
    expect(told).toContain('PUBLIC_URL')
    expect(foreignOrigin(posted({ host: '10.0.0.7:3000', origin: 'https://a.example' }, 'GET'), none)).toBeNull()
  })
})
