import type { IncomingMessage } from 'node:http'

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Whether a page of another site made the browser send this. Browsers name the origin on every request that may change
 * something; tools send none and have no login cookie to steal.
 */
export function isForeignRequest(req: IncomingMessage, publicUrl: string | undefined): boolean {
  if (safeMethods.has(req.method ?? 'GET')) return false
  const { origin, host } = req.headers
  if (origin === undefined) return req.headers['sec-fetch-site'] === 'cross-site'
  if (publicUrl !== undefined && origin === new URL(publicUrl).origin) return false
  return !URL.canParse(origin) || new URL(origin).host !== host
}
