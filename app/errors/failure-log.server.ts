import type { AppLoadContext } from '@remix-run/node'
import { isRouteErrorResponse } from '@remix-run/react'

/** Logs the failure of a page. The query string is left out: it may contain an email address. */
export function logFailure(error: unknown, request: Request, context: AppLoadContext): void {
  const place = { requestId: context.requestId, method: request.method, path: new URL(request.url).pathname }
  // An error response below 500 is the client's fault, and an aborted request nobody's: neither is logged as an error.
  const isTheirs = isRouteErrorResponse(error) && error.status < 500
  if (isTheirs) context.log.debug({ ...place, status: error.status }, 'no such page')
  else if (request.signal.aborted) context.log.debug({ ...place, reason: String(error) }, 'the reader left')
  else context.log.error({ ...place, err: error }, 'page failed')
}
