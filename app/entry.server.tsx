import { PassThrough } from 'node:stream'
import type { ActionFunctionArgs, AppLoadContext, EntryContext, LoaderFunctionArgs } from '@remix-run/node'
import { createReadableStreamFromReadable } from '@remix-run/node'
import { RemixServer } from '@remix-run/react'
import { renderToPipeableStream } from 'react-dom/server'
import { logFailure } from './errors/failure-log.server.ts'
import { NonceContext } from './nonce.ts'

/** Renders a page in one piece rather than streaming: no data is deferred, and the status code is final. */
export default function handleRequest(
  request: Request,
  status: number,
  headers: Headers,
  remix: EntryContext,
  context: AppLoadContext,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    let failed = false
    const { pipe, abort } = renderToPipeableStream(
      <NonceContext.Provider value={context.nonce}>
        <RemixServer context={remix} url={request.url} nonce={context.nonce} />
      </NonceContext.Provider>,
      {
        nonce: context.nonce,
        onAllReady() {
          const body = new PassThrough()
          headers.set('Content-Type', 'text/html; charset=utf-8')
          keepPrivate(headers)
          resolve(
            new Response(request.method === 'HEAD' ? null : createReadableStreamFromReadable(body), {
              status: failed ? 500 : status,
              headers,
            }),
          )
          pipe(body)
        },
        onShellError: reject,
        onError(error) {
          failed = true
          logFailure(error, request, context)
        },
      },
    )
    request.signal.addEventListener('abort', () => abort(request.signal.reason), { once: true })
  })
}

/** Handles loader responses to the data requests of the client-side router. */
export function handleDataRequest(response: Response): Response {
  keepPrivate(response.headers)
  return response
}

/** Logs unexpected errors thrown by a loader or action. */
export function handleError(error: unknown, { request, context }: LoaderFunctionArgs | ActionFunctionArgs): void {
  logFailure(error, request, context)
}

/** The shop's figures must not be stored by any cache, nor remain in the browser after logout. */
function keepPrivate(headers: Headers): void {
  if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'private, no-store')
}
