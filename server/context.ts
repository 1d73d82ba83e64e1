import type { IncomingMessage } from 'node:http'
import type { Context, ListAbout } from '../trpc/init.ts'
import type { Freshness } from '../trpc/schema/common.ts'
import type { Accounts } from './accounts/accounts.ts'
import { readApiToken, type SessionCookie } from './accounts/auth.ts'
import { hashToken } from './accounts/tokens.ts'
import { createWriteKey } from './accounts/write-keys.ts'
import { AppError } from './errors.ts'
import type { Changes } from './store/changes.ts'
import type { FixedLists } from './store/fixed-lists.ts'
import type { Store } from './store/store.ts'
import type { System } from './telemetry/system.ts'

export interface ContextParts {
  store: Store
  accounts: Accounts
  /** Of all machines. */
  freshness: () => Freshness
  changes: Changes
  keyless: 'allow' | 'refuse'
  system: System
  fixedLists: FixedLists<ListAbout>
  sessionCookie: SessionCookie
  siteId: string
  /** How many proxies stand in front, each of which adds to X-Forwarded-For. */
  trustedProxies: number
  answerBytes: number
  now: () => number
}

export type CreateContext = (req: IncomingMessage, setCookie: (cookie: string) => void) => Promise<Context>

/** What procedures get for one request: the parts of this server and who is asking. */
export function createContextFactory(parts: ContextParts): CreateContext {
  const { store, accounts, freshness, changes, system, fixedLists, sessionCookie, siteId, answerBytes, now } = parts
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
      clientAddress: clientAddress(req, parts.trustedProxies),
      now,
      answerBytes,
      freshness,
      changes,
      writeKeys: {
        required: parts.keyless === 'refuse',
        create: (input) =>
          createWriteKey(store.keys, { ...input, siteId, eventsPerSecond: null, origins: null, createdAt: now() }),
      },
      system,
      fixedLists,
      setCookie,
    }
  }
}

/**
 * Who asks, as the outermost of so many trusted proxies saw it; 0 for none, else the socket's other end. Each proxy adds
 * who it was asked by at the end of the list, and what is before that anybody may have written.
 */
export function clientAddress(req: IncomingMessage, trustedProxies: number): string {
  const forwarded = trustedProxies > 0 ? req.headers['x-forwarded-for'] : undefined
  const addresses = (Array.isArray(forwarded) ? forwarded.join(',') : (forwarded ?? ''))
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '')
  // A list that is shorter than the proxies are many is of a request that did not come through all of them.
  return addresses.at(-trustedProxies) ?? addresses[0] ?? req.socket.remoteAddress ?? 'unknown'
}
