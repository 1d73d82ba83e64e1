import type { AppLoadContext } from '@remix-run/node'
import { isRouteErrorResponse } from '@remix-run/react'

/** Tells the log of a page that failed. The address goes without its query: it may hold an email. */
export function logFailure(error: unknown, request: Request, context: AppLoadContext): void {
  const place = { requestId: context.requestId, method: request.method, path: new URL(request.url).pathname }
  // What fails for want of a reader is nobody's failure.
  const isTheirs = isRouteErrorResponse(error) && error.status < 500
  if (isTheirs) context.log.debug({ ...place, status: error.status }, 'no such page')
  else if (request.signal.aborted) context.log.debug({ ...place, reason: String(error) }, 'the reader left')
  else context.log.error({ ...place, err: error }, 'page failed')
}
