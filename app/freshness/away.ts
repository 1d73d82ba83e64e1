import { TRPCClientError } from '@trpc/client'

/** What a page cannot reach: the server, or behind it the store. */
export type Away = 'server' | 'store'

/** What an error of a procedure tells of: a server that answers that it is unavailable waits for its store. */
export function whatIsAway(error: unknown): Away {
  return statusOf(error) === 503 ? 'store' : 'server'
}

export function isLoggedOut(error: unknown): boolean {
  return statusOf(error) === 401
}

/** As the server itself said it; what stands before it may answer 503 too, but not in these words. */
function statusOf(error: unknown): number | undefined {
  return error instanceof TRPCClientError
    ? (error.data as { httpStatus?: number } | null | undefined)?.httpStatus
    : undefined
}

/** What a line under the title says of it. */
export const awayLines: Record<Away, string> = {
  server: 'Connection lost, retrying',
  store: 'The database does not answer, retrying',
}
