import type { AppLoadContext } from '@remix-run/node'
import { data, redirect } from '@remix-run/node'
import { TRPCError } from '@trpc/server'
import { getHTTPStatusCodeFromError } from '@trpc/server/http'
import { ZodError } from 'zod'
import { loginAddress } from '../accounts/next.ts'
import type { PageError } from './page-error.ts'

interface Asker {
  request: Request
  context: AppLoadContext
}

/**
 * Runs a procedure for a page. A refusal becomes a Response with its status and a message that is safe to show;
 * nobody logged in becomes a redirect to the login; a failure of ours, which the server has logged, is shown by its reference alone.
 */
export async function ask<T>({ request, context }: Asker, procedure: () => Promise<T>): Promise<T> {
  try {
    return await procedure()
  } catch (error) {
    if (!(error instanceof TRPCError)) throw error
    if (error.code === 'UNAUTHORIZED') throw redirect(loginAddress(request))
    const status = getHTTPStatusCodeFromError(error)
    const body: PageError =
      status >= 500
        ? { message: null, reference: context.requestId, at: new Date().toISOString() }
        : { message: safeMessage(error), reference: null, at: null }
    throw data(body, { status })
  }
}

/** For an address that a script asks: the answer as JSON, and a refusal with its status, the login's too. */
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

/** What `ask` throws. */
function isRefusal(error: unknown): error is { data: unknown; init: ResponseInit | null } {
  return typeof error === 'object' && error !== null && 'type' in error && error.type === 'DataWithResponseInit'
}

function safeMessage(error: TRPCError): string {
  if (!(error.cause instanceof ZodError)) return error.message
  return error.cause.issues.map((i) => (i.path.length ? `${i.path.join('.')}: ${i.message}` : i.message)).join('; ')
}
