import { join } from 'node:path'
import { createCookie } from '@remix-run/node'
import { Authenticator } from 'remix-auth'
import { FormStrategy } from 'remix-auth-form'
import { siteSetupInput } from '../../trpc/schema/account.ts'
import { AppError } from '../errors.ts'
import { secretFile } from '../start/secret-file.ts'
import type { AccountStore } from '../store/store.ts'
import type { Accounts, SignedIn } from './accounts.ts'
import { apiTokenPrefix, createToken, hashToken } from './tokens.ts'

export interface SessionCookie {
  /** The Set-Cookie that keeps a token (null forgets it); without an age it ends with the browser. */
  serialize(sessionToken: string | null, maxAgeMs: number | null): Promise<string>
  /** The token of a Cookie header, null without one or when its signature is not ours. */
  parse(header: string | undefined): Promise<string | null>
}

/** Signed, http-only, lax: a page of another site can neither read it nor post with it. */
export function createSessionCookie({ secret, secure }: { secret: string; secure: boolean }): SessionCookie {
  const cookie = createCookie('veritas_session', {
    httpOnly: true,
    sameSite: 'lax',
    path: '/',
    secure,
    secrets: [secret],
  })
  return {
    serialize(token, maxAgeMs) {
      if (token === null) return cookie.serialize('', { maxAge: 0 })
      return cookie.serialize(token, maxAgeMs === null ? {} : { maxAge: Math.floor(maxAgeMs / 1000) })
    },
    async parse(header) {
      if (header === undefined) return null
      const token: unknown = await cookie.parse(header)
      return typeof token === 'string' && token !== '' ? token : null
    },
  }
}

/** The secret that signs cookies: the setting, else one made at the first start and kept beside the store. */
export async function sessionSecret(setting: string | undefined, dataDir: string): Promise<string> {
  return setting ?? secretFile(join(dataDir, 'session-secret'), createToken)
}

/** The API token of an Authorization header, by name; null without one or for an unknown one. */
export async function readApiToken(header: string | undefined, store: AccountStore): Promise<string | null> {
  const token = header?.match(/^Bearer (\S+)$/i)?.[1]
  if (!token?.startsWith(apiTokenPrefix)) return null
  return (await store.byToken(hashToken(token)))?.name ?? null
}

/** The form strategies of the pages, for one request from one address. */
export function createAuthenticator(
  accounts: Pick<Accounts, 'signIn' | 'signUp' | 'needsOwner'>,
  address: string,
): Authenticator<SignedIn> {
  const authenticator = new Authenticator<SignedIn>()
  authenticator.use(
    new FormStrategy(async ({ form }) =>
      accounts.signIn(
        { email: field(form, 'email'), password: field(form, 'password'), remember: field(form, 'remember') === 'on' },
        { address },
      ),
    ),
    'login',
  )
  authenticator.use(
    new FormStrategy(async ({ form }) => {
      const invitation = field(form, 'invitation')
      const setupCode = field(form, 'setupCode')
      const isOwner = await accounts.needsOwner()
      const site = isOwner ? readSite(form) : null
      return accounts.signUp(
        {
          name: field(form, 'name'),
          email: field(form, 'email'),
          password: field(form, 'password'),
          ...(invitation && { invitation }),
          ...(setupCode && { setupCode }),
        },
        { address, site },
      )
    }),
    'sign-up',
  )
  return authenticator
}

function field(form: FormData, name: string): string {
  const value = form.get(name)
  return typeof value === 'string' ? value : ''
}

/** The shop's name, zone and currency of the owner's first page; null when the form does not ask for them. */
function readSite(form: FormData) {
  if (!form.has('siteName')) return null
  const parsed = siteSetupInput.safeParse({
    siteName: field(form, 'siteName'),
    timeZone: field(form, 'timeZone'),
    currency: field(form, 'currency'),
  })
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw new AppError('invalid_input', issue.message, { field: String(issue.path[0]) })
}
