import type { IncomingMessage, ServerResponse } from 'node:http'

/** Storefronts post from other origins, with sendBeacon even with credentials: the origin is mirrored. */
export function allowOrigin(req: IncomingMessage, res: ServerResponse): void {
  const origin = req.headers.origin
  if (origin === undefined) return
  res.setHeader('access-control-allow-origin', origin)
  res.setHeader('access-control-allow-credentials', 'true')
  res.setHeader('access-control-expose-headers', 'Retry-After')
  res.setHeader('vary', 'Origin')
}

/** The page is none that may read the answer. */
export function disallowOrigin(res: ServerResponse): void {
  if (res.headersSent) return
  res.removeHeader('access-control-allow-origin')
  res.removeHeader('access-control-allow-credentials')
}

/** The answer to a browser's question before the real request. */
export function sendPreflight(req: IncomingMessage, res: ServerResponse): void {
  allowOrigin(req, res)
  res.setHeader('access-control-allow-methods', 'POST, OPTIONS')
  const asked = req.headers['access-control-request-headers']
  if (asked !== undefined) res.setHeader('access-control-allow-headers', asked)
  res.setHeader('access-control-max-age', 86400)
  res.statusCode = 204
  res.end()
}
