import { initTRPC, TRPCError } from '@trpc/server'
import type { OpenApiMeta } from 'trpc-to-openapi'
import { z } from 'zod'
import type { Accounts } from '../server/accounts/accounts.ts'
import { AppError, errorStatus } from '../server/errors.ts'
import type { Changes } from '../server/store/changes.ts'
import type { FixedLists } from '../server/store/fixed-lists.ts'
import type { Store } from '../server/store/store.ts'
import type { System } from '../server/telemetry/system.ts'
import { inSpan, isTraced } from '../server/telemetry/tracing.ts'
import type { Account, NewKeyInput } from './schema/account.ts'
import { type Freshness, type Site, siteParam } from './schema/common.ts'
import { expectation, issuesText } from './schema/issues.ts'

/** Which site a fixed list of users is of, and to when it is complete. */
export interface ListAbout {
  siteId: string
  freshness: Freshness
}

/** What a procedure may use; made anew for every request (server/context.ts). */
export interface Context {
  store: Store
  accounts: Accounts
  /** The site of questions that name none. */
  site: Site
  /** Who is logged in by cookie. */
  account: Account | null
  /** The name of the API token, for tools. */
  tool: string | null
  /** Where the request came from; only for limiting tries. */
  clientAddress: string
  now: () => number
  /** About the most bytes of events in one answer. */
  answerBytes: number
  freshness: () => Freshness
  changes: Changes
  writeKeys: {
    /** Events are taken only with one. */
    required: boolean
    /** Its text, which is kept nowhere. */
    create: (input: NewKeyInput) => Promise<string>
  }
  system: System
  /** Lists of users that somebody walks through, each with what it was complete to. */
  fixedLists: FixedLists<ListAbout>
  /** Adds a Set-Cookie to the answer. */
  setCookie: (cookie: string) => void
  /** The login cookie's token, for logging out. */
  sessionToken: string | null
}

const t = initTRPC
  .meta<OpenApiMeta>()
  .context<Context>()
  .create({
    errorFormatter({ shape, error }) {
      const { stack: _stack, ...data } = shape.data as typeof shape.data & { stack?: string }
      const internal = error.code === 'INTERNAL_SERVER_ERROR'
      const cause = error.cause
      return {
        ...shape,
        message: internal ? 'Something failed on the server. It was logged; please try again.' : errorMessage(error),
        data: {
          ...data,
          issues:
            cause instanceof z.ZodError
              ? cause.issues.map((issue) => ({ path: issue.path.join('.'), message: expectation(issue) }))
              : undefined,
          field: cause instanceof AppError ? cause.field : undefined,
        },
      }
    },
  })

/** What a schema found wrong as one line that names each field; any other message as it is. */
export function errorMessage(error: TRPCError): string {
  if (!(error.cause instanceof z.ZodError)) return error.message
  return issuesText(error.cause)
}

const storeAway =
  'The figures cannot be read right now: the store does not answer. Events are still taken; try again soon.'

/** The same failure with tRPC's code for it. Where the store is and what it said is for the log, not for clients. */
export function toTrpcError(error: AppError): TRPCError {
  const message = error.isForClients ? error.message : storeAway
  return new TRPCError({ code: errorStatus[error.code].trpc, message, cause: error })
}

/** Turns our own errors into tRPC's with the code of the map, so that every door answers with the same status. */
const mapErrors = t.middleware(async ({ next }) => {
  const result = await next()
  if (!result.ok && result.error.cause instanceof AppError) {
    throw toTrpcError(result.error.cause)
  }
  return result
})

/** A procedure is a span of the requests that are traced. */
const traced = t.middleware(({ path, type, next }) => {
  if (!isTraced()) return next()
  return inSpan(`${type} ${path}`, { attributes: { 'rpc.method': path } }, async (span) => {
    const result = await next()
    if (!result.ok) span.setAttribute('error.type', result.error.code)
    return result
  })
})

export const router = t.router
export const createCallerFactory = t.createCallerFactory
export const publicProcedure = t.procedure.use(traced).use(mapErrors)

/** For a logged-in account or a tool with an API token. */
export const procedure = publicProcedure.use(({ ctx, next }) => {
  if (!ctx.account && !ctx.tool)
    throw new AppError('unauthenticated', 'Log in, or send an API token as "Authorization: Bearer vt_…".')
  return next()
})

/**
 * A question about one site, which ctx.site is: the one that the input names, else the first. Throws AppError not_found for
 * one that is not there. Its input has siteParam, by which a name that is none is refused.
 */
export const siteProcedure = procedure.use(async ({ ctx, getRawInput, next }) => {
  const { data } = z.object(siteParam).safeParse((await getRawInput()) ?? {})
  if (data?.site === undefined || data.site === ctx.site.id) return next()
  const site = await ctx.store.site(data.site)
  if (!site) throw new AppError('not_found', 'There is no such site.', { field: 'site' })
  return next({ ctx: { ...ctx, site } })
})

/** For the owner of this server. */
export const ownerProcedure = publicProcedure.use(({ ctx, next }) => {
  if (!ctx.account) throw new AppError('unauthenticated', 'Log in first.')
  if (ctx.account.role !== 'owner') throw new AppError('forbidden', 'Only the owner of this server may do that.')
  return next({ ctx: { ...ctx, account: ctx.account } })
})
