import { v7 } from 'uuid'
import type { z } from 'zod'
import type { Account, SignInInput, SignUpInput, SiteSetupInput } from '../../trpc/schema/account.ts'
import { signInInput, signUpInput, siteSetupInput } from '../../trpc/schema/account.ts'
import { isZone } from '../analysis/zones.ts'
import { AppError } from '../errors.ts'
import type { AccountStore, SiteStore, StoredAccount } from '../store/store.ts'
import type { Accounts, SetupCode, SignedIn } from './accounts.ts'
import { hashPassword, passwordMatches } from './passwords.ts'
import { createToken, hashToken } from './tokens.ts'
import { createTries } from './tries.ts'

const HOUR_MS = 3_600_000
const LOGIN_MS = 12 * HOUR_MS
const REMEMBERED_MS = 30 * 24 * HOUR_MS
/** Of a shop that is being tried out: counted again within a moment. */
const RECOUNTED_EVENTS = 2000
const INVITATION_MS = 7 * 24 * HOUR_MS

export interface AccountsParts {
  store: AccountStore
  sites: SiteStore
  siteId: string
  /** The Set-Cookie for a session token; null forgets it. maxAgeMs null: until the browser closes. */
  cookie: (sessionToken: string | null, maxAgeMs: number | null) => Promise<string>
  now: () => number
  /** null where the first sign-up needs none, since nobody else reaches this server. */
  setupCode: SetupCode | null
}

export function createAccounts({ store, sites, siteId, cookie, now, setupCode }: AccountsParts): Accounts {
  const tries = createTries()

  async function logIn(account: StoredAccount, remember: boolean): Promise<SignedIn> {
    const token = createToken()
    const lifeMs = remember ? REMEMBERED_MS : LOGIN_MS
    const createdAt = now()
    await store.createSession({
      tokenHash: hashToken(token),
      accountId: account.id,
      createdAt,
      expiresAt: createdAt + lifeMs,
    })
    return { account: publicAccount(account), cookie: await cookie(token, remember ? lifeMs : null) }
  }

  async function createAccount(input: { name: string; email: string; password: string }, role: Account['role']) {
    const { name, email, password } = input
    const account = { id: v7(), email, name, role, passwordHash: await hashPassword(password), createdAt: now() }
    try {
      return await store.create(account, { onlyIfFirst: role === 'owner' })
    } catch (error) {
      if (error instanceof AppError && error.code === 'conflict') throw emailExists(error)
      throw error
    }
  }

  /**
   * After the account, since whoever does not become the owner must not change the shop of who does. One whose shop cannot
   * be as it is wished is no owner, and can sign up again.
   */
  async function setUpSiteOf(owner: StoredAccount, site: SiteSetupInput): Promise<void> {
    try {
      await accounts.setUpSite(site)
    } catch (error) {
      // Where the store is away for this too, the account stays: its owner logs in, and names the shop afterwards.
      await store.remove(owner.id, { evenLastOwner: true }).catch(() => {})
      throw error
    }
  }

  const accounts: Accounts = {
    needsOwner: async () => (await store.count()) === 0,
    needsSetupCode: setupCode !== null,

    async signIn(raw: SignInInput, { address }) {
      const { email, password, remember } = signInInput.parse(raw)
      const left = tries.take(email, address)
      const account = await store.byEmail(email)
      const matches = await passwordMatches(account?.passwordHash ?? null, password).catch((error: unknown) => {
        tries.giveBack(email, address)
        throw error
      })
      if (!matches || !account)
        throw new AppError('unauthenticated', `Email and password do not match. ${triesLeft(left)}`, {
          field: 'password',
        })
      tries.forgive(email, address)
      return logIn(account, remember)
    },

    async signUp(raw: SignUpInput, { address, site = null }) {
      const input = signUpInput.parse(raw)
      tries.take(input.email, address)
      if (await accounts.needsOwner()) {
        if (setupCode && !(await setupCode.matches(input.setupCode ?? '')))
          throw new AppError(
            'forbidden',
            'The first account needs the set-up code that the server printed when it started. On the server, npm run setup-code prints it again.',
            { field: 'setupCode' },
          )
        if (site) assertSite(site)
        const owner = await createAccount(input, 'owner')
        if (owner) {
          if (site) await setUpSiteOf(owner, site)
          await setupCode?.forget()
          return logIn(owner, false)
        }
        // Somebody else became the owner in this moment; one who sent the same form twice need not ask anybody.
        if (await store.byEmail(input.email)) throw emailExists()
        if (!input.invitation)
          throw new AppError(
            'forbidden',
            'Somebody else has just become the owner of this server. Ask them for an invitation.',
          )
      }
      const invited = input.invitation ? await accounts.invitedEmail(input.invitation) : null
      if (invited === null)
        throw new AppError('forbidden', 'Sign-up is by invitation. Ask the owner of this server for a link.')
      if (invited !== input.email)
        throw new AppError('unprocessable', `This invitation is for ${invited}.`, { field: 'email' })
      const account = await createAccount(input, 'analyst')
      await store.deleteInvitation(hashToken(input.invitation!))
      return logIn(account!, false)
    },

    async signOut(sessionToken) {
      if (sessionToken !== null) await store.deleteSession(hashToken(sessionToken))
      return cookie(null, null)
    },

    invitedEmail: async (invitation) => (await store.invitation(hashToken(invitation), now()))?.email ?? null,

    async invite(email) {
      const token = createToken()
      const createdAt = now()
      await store.createInvitation({
        tokenHash: hashToken(token),
        email,
        createdAt,
        expiresAt: createdAt + INVITATION_MS,
      })
      return token
    },

    async setUpSite(raw) {
      const { siteName, timeZone, currency } = assertSite(raw)
      await sites.saveSite({ id: siteId, name: siteName, timeZone, currency }, { recountUpTo: RECOUNTED_EVENTS })
    },

    fixedZone: () => sites.fixedZone(siteId, RECOUNTED_EVENTS),
  }
  return accounts
}

/** The shop as it was wished. Throws what its fields are told, before anybody has an account. */
function assertSite(raw: SiteSetupInput): z.output<typeof siteSetupInput> {
  const site = siteSetupInput.parse(raw)
  if (!isZone(site.timeZone))
    throw new AppError('invalid_input', 'Choose a time zone such as Europe/Berlin.', { field: 'timeZone' })
  return site
}

function emailExists(cause?: unknown): AppError {
  return new AppError('unprocessable', 'An account with this email exists. Log in instead.', { field: 'email', cause })
}

function publicAccount({ id, email, name, role }: Account): Account {
  return { id, email, name, role }
}

function triesLeft(left: number): string {
  if (left === 0) return 'That was the last try for 15 minutes.'
  return `You have ${left} ${left === 1 ? 'try' : 'tries'} left, then a 15-minute wait.`
}
