import type { AppLoadContext } from '@remix-run/node'
import { data, redirect } from '@remix-run/node'
import { TRPCError } from '@trpc/server'
import { getHTTPStatusCodeFromError } from '@trpc/server/http'
import { ZodError } from 'zod'
import { issuesText } from '../../trpc/schema/issues.ts'
import { loginAddress } from '../accounts/next.ts'
import { isPageError, type PageError } from './page-error.ts'

interface Asker {
  request: Request
  context: AppLoadContext
}

/**
 * Runs a procedure for a page. Throws on failure: a rejection as data with its status and a message that is safe to
 * show, a missing login as a redirect to the login page, an internal error with the log's reference but no message.
 */
export async function ask<T>({ request, context }: Asker, procedure: () => Promise<T>): Promise<T> {
  try {
    return await procedure()
  } catch (error) {
    if (!(error instanceof TRPCError)) throw error
    if (error.code === 'UNAUTHORIZED') throw redirect(loginAddress(request))
    const status = getHTTPStatusCodeFromError(error)
    const { isForClients, retryAfterSeconds } = saidOf(error)
    const body: PageError =
      status >= 500 && !isForClients
        ? { message: null, reference: context.requestId, at: new Date().toISOString() }
        : { message: safeMessage(error), reference: null, at: null }
    throw data(body, {
      status,
      ...(retryAfterSeconds !== undefined && { headers: { 'Retry-After': String(retryAfterSeconds) } }),
    })
  }
}

/** For addresses called by scripts: the answer as JSON, errors too; 401 instead of a redirect if not logged in. */
export async function jsonOf({ context }: Asker, answer: () => Promise<unknown>): Promise<Response> {
  const headers = { 'Cache-Control': 'private, no-store' }
  try {
    const { user } = await context.trpc.auth.session()
    if (!user) return Response.json({ message: 'Log in first.' }, { status: 401, headers })
    return Response.json(await answer(), { headers })
  } catch (error) {
    if (error instanceof TRPCError) {
      const status = getHTTPStatusCodeFromError(error)
      return Response.json({ message: status >= 500 ? null : safeMessage(error) }, { status, headers })
    }
    if (isRefusal(error)) return Response.json(error.data, { ...error.init, headers })
    throw error
  }
}

/** For file downloads: an error is answered as plain text, since no error page can be shown in place of a file. */
export async function fileOf(answer: () => Promise<Response>): Promise<Response> {
  try {
    return await answer()
  } catch (error) {
    if (!isRefusal(error) || !isPageError(error.data)) throw error
    const status = error.init?.status ?? 500
    const { message, reference } = error.data
    const says =
      message ??
      (status === 503
        ? 'This server reads as much as it can at the moment, or its database does not answer. Try again in a moment.'
        : `Something failed on the server, and it was logged. Its reference is ${reference}.`)
    const headers = new Headers(error.init?.headers)
    if (status === 503 && !headers.has('Retry-After')) headers.set('Retry-After', '5')
    headers.set('Content-Type', 'text/plain; charset=utf-8')
    headers.set('Cache-Control', 'private, no-store')
    return new Response(`${says}\n`, { status, headers })
  }
}

/** Details in the cause of a tRPC error: whether clients may see its message, and when to retry. */
function saidOf({ cause }: TRPCError): { isForClients: boolean; retryAfterSeconds: number | undefined } {
  const { isForClients, retryAfterSeconds } = (cause ?? {}) as Record<string, unknown>
  return {
    isForClients: isForClients === true,
    retryAfterSeconds: typeof retryAfterSeconds === 'number' ? retryAfterSeconds : undefined,
  }
}

/** Whether the error is one that `ask` throws with `data()`. */
function isRefusal(error: unknown): error is { data: unknown; init: ResponseInit | null } {
  return typeof error === 'object' && error !== null && 'type' in error && error.type === 'DataWithResponseInit'
}

function safeMessage(error: TRPCError): string {
  return error.cause instanceof ZodError ? issuesText(error.cause) : error.message
}
