import { isRouteErrorResponse } from '@remix-run/react'
import { TRPCClientError } from '@trpc/client'

/** What a page cannot have: an answer of the server, one of the store behind it, or what fails on the server itself. */
export type Away = 'server' | 'store' | 'page'

/** What a line under the title says of it. */
export const awayLines: Record<Away, string> = {
  server: 'Connection lost, retrying',
  store: 'The database does not answer, retrying',
  page: 'The figures cannot be loaded at the moment, retrying',
}

/** An answer of one of our own addresses that is none of the wanted ones. */
export class Unanswered extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/**
 * What a load that failed tells of; null for an answer that trying again does not change, such as "there is no such
 * user". A server that answers that it is unavailable waits for its store; what stands before it may answer 503 too, but
 * not in these words.
 */
export function awayOf(error: unknown): Away | null {
  // A redirect, which is where the page goes.
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
