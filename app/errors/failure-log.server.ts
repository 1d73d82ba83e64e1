import type { AppLoadContext } from '@remix-run/node'

/** One line of JSON like every other line of the log. The address goes without its query: it may hold an email. */
export function logFailure(error: unknown, request: Request, context: AppLoadContext): void {
  const cause = error instanceof Error ? error : new Error(String(error))
  console.error(
    JSON.stringify({
      level: 'error',
      time: new Date().toISOString(),
      msg: 'page failed',
      requestId: context.requestId,
      method: request.method,
      path: new URL(request.url).pathname,
      err: { message: cause.message, stack: cause.stack, cause: causeOf(cause) },
    }),
  )
}

function causeOf(error: Error): string | undefined {
  return error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : undefined
}
