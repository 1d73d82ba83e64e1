import type { AppLoadContext } from '@remix-run/node'

/** Tells the log of a page that failed. The address goes without its query: it may hold an email. */
export function logFailure(error: unknown, request: Request, context: AppLoadContext): void {
  const place = { requestId: context.requestId, method: request.method, path: new URL(request.url).pathname }
  // What fails for want of a reader is nobody's failure.
  if (request.signal.aborted) context.log.debug({ ...place, reason: String(error) }, 'the reader left')
  else context.log.error({ ...place, err: error }, 'page failed')
}
