import type { IncomingMessage } from 'node:http'
import type { Context } from '../trpc/init.ts'
import type { Freshness } from '../trpc/schema/common.ts'
import type { Accounts } from './accounts/accounts.ts'
import { hashToken } from './accounts/tokens.ts'
import { readApiToken, type SessionCookie } from './auth.ts'
import type { Changes } from './changes.ts'
import { AppError } from './errors.ts'
import type { FixedLists } from './fixed-lists.ts'
import type { Store } from './store/store.ts'
import type { System } from './system.ts'
import type { Writer } from './writer/writer.ts'

export interface ContextParts {
  store: Store
  accounts: Accounts
  writer: Writer
  changes: Changes
  system: System
  fixedLists: FixedLists<Freshness>
  sessionCookie: SessionCookie
  siteId: string
  trustProxy: boolean
  answerBytes: number
  now: () => number
}

export type CreateContext = (req: IncomingMessage, setCookie: (cookie: string) => void) => Promise<Context>

/** What procedures get for one request: the parts of this server and who is asking. */
export function createContextFactory(parts: ContextParts): CreateContext {
  const { store, accounts, writer, changes, system, fixedLists, sessionCookie, siteId, answerBytes, now } = parts
  return async (req, setCookie) => {
    const sessionToken = await sessionCookie.parse(req.headers.cookie)
    const [site, account, tool] = await Promise.all([
      store.site(siteId),
      sessionToken === null ? null : store.accounts.bySession(hashToken(sessionToken), now()),
      readApiToken(req.headers.authorization, store.accounts),
    ])
    // Made at the start; while the store is away, as soon as it is there.
    if (!site) throw new AppError('unavailable', `Site ${siteId} is not made yet.`)
    return {
      store,
      accounts,
      site,
      account,
      tool,
      sessionToken,
      clientAddress: clientAddress(req, parts.trustProxy),
      now,
      answerBytes,
      freshness: () => writer.freshness(),
      changes,
      system,
      fixedLists,
      setCookie,
    }
  }
}

/** The last hop a trusted proxy saw, else the socket's other end. */
export function clientAddress(req: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? req.headers['x-forwarded-for'] : undefined
  const last = (Array.isArray(forwarded) ? forwarded.at(-1) : forwarded)?.split(',').at(-1)?.trim()
  return last || (req.socket.remoteAddress ?? 'unknown')
}
