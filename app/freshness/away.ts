import { isRouteErrorResponse } from '@remix-run/react'
import { TRPCClientError } from '@trpc/client'

/** Why a page has no current data: no answer from the server, none from its database, or an error on the server. */
export type Away = 'server' | 'store' | 'page'

/** The text shown below the page title for each. */
export const awayLines: Record<Away, string> = {
  server: 'Connection lost, retrying',
  store: 'The database does not answer, retrying',
  page: 'The figures cannot be loaded at the moment, retrying',
}

/** An error response from one of the server's JSON addresses. */
export class Unanswered extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/**
 * Why a load failed; null for an answer that a retry does not change, such as "there is no such user". 503 means that
 * the server waits for its database; a proxy's 503 to a tRPC call carries no tRPC error, so it counts as "server".
 */
export function awayOf(error: unknown): Away | null {
  // A redirect, which Remix follows.
  if (error instanceof Response) return null
  const status = statusOf(error)
  if (status === undefined || status === 502 || status === 504) return 'server'
  if (status === 503) return 'store'
  return status >= 500 ? 'page' : null
}

export function isLoggedOut(error: unknown): boolean {
  return statusOf(error) === 401
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof TRPCClientError) return (error.data as { httpStatus?: number } | null | undefined)?.httpStatus
  if (error instanceof Unanswered) return error.status
  return isRouteErrorResponse(error) ? error.status : undefined
}
