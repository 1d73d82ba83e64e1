import { describe, expect, it } from 'vitest'
import { HOUR_MS, NOON } from '../sample-events.ts'
import type { Store, StoredAccount } from '../store.ts'
import type { OpenedStore } from './opened-store.ts'

let last = 0
function sampleAccount(account: Partial<StoredAccount> = {}): StoredAccount {
  last += 1
  return {
    id: `account-${last}`,
    email: `lena${last}@example.com`,
    name: 'Lena',
    role: 'analyst',
    passwordHash: '$argon2id$…',
    createdAt: NOON,
    ...account,
  }
}

export function describeAccounts(store: () => Store, open: () => Promise<OpenedStore>): void {
  const accounts = () => store().accounts

  describe('accounts', () => {
    it('gives the first account to one of many who ask at once', async () => {
      const { store: fresh } = await open()
      const tries = Array.from({ length: 8 }, () => fresh.accounts.create(sampleAccount(), { onlyIfFirst: true }))
      const made = (await Promise.all(tries)).filter((account) => account !== null)
      expect(made).toHaveLength(1)
      expect(await fresh.accounts.count()).toBe(1)
      expect(await fresh.accounts.create(sampleAccount(), { onlyIfFirst: true })).toBeNull()
      await fresh.close()
    })

    it('finds an account by its id and by its email in any spelling', async () => {
      const account = sampleAccount({ role: 'owner' })
      const before = await accounts().count()
      expect(await accounts().create(account)).toEqual(account)
      expect(await accounts().count()).toBe(before + 1)
      expect(await accounts().byId(account.id)).toEqual(account)
      expect(await accounts().byEmail(account.email.toUpperCase())).toEqual(account)
      expect(await accounts().byId('nobody')).toBeNull()
      expect(await accounts().byEmail('nobody@example.com')).toBeNull()
    })

    it('takes an email once, in whatever spelling, also from two at once', async () => {
      const email = 'Mia@Example.com'
      const tries = await Promise.allSettled([
        accounts().create(sampleAccount({ email })),
        accounts().create(sampleAccount({ email: email.toLowerCase() })),
      ])
      expect(tries.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected'])
      await expect(accounts().create(sampleAccount({ email }))).rejects.toMatchObject({
        code: 'conflict',
        field: 'email',
      })
      expect((await accounts().byEmail(email))?.email).toBe('mia@example.com')
    })

    it('knows the account of a login until it expires or is deleted', async () => {
      const account = sampleAccount()
      await accounts().create(account)
      const { passwordHash: _, createdAt: __, ...visible } = account
      const session = { accountId: account.id, createdAt: NOON, expiresAt: NOON + HOUR_MS }
      await accounts().createSession({ ...session, tokenHash: 'one' })
      await accounts().createSession({ ...session, tokenHash: 'two' })
      expect(await accounts().bySession('one', NOON + HOUR_MS - 1)).toEqual(visible)
      expect(await accounts().bySession('one', NOON + HOUR_MS)).toBeNull()
      await accounts().deleteSession('one')
      await accounts().deleteSession('one')
      expect(await accounts().bySession('one', NOON)).toBeNull()
      expect(await accounts().bySession('two', NOON)).toEqual(visible)
    })

    it('forgets expired logins when a new one is made', async () => {
      const account = sampleAccount()
      await accounts().create(account)
      await accounts().createSession({ tokenHash: 'old', accountId: account.id, createdAt: 0, expiresAt: 1000 })
      expect(await accounts().bySession('old', 0)).not.toBeNull()
      await accounts().createSession({ tokenHash: 'new', accountId: account.id, createdAt: 2000, expiresAt: 3000 })
      expect(await accounts().bySession('old', 0)).toBeNull()
      expect(await accounts().bySession('new', 2500)).not.toBeNull()
    })

    it('lets one caller use up an invitation', async () => {
      await accounts().createInvitation({
        tokenHash: 'invited',
        email: 'noah@example.com',
        createdAt: NOON,
        expiresAt: NOON + HOUR_MS,
      })
      expect(await accounts().invitation('invited', NOON)).toEqual({ email: 'noah@example.com' })
      expect(await accounts().invitation('invited', NOON + HOUR_MS)).toBeNull()
      expect(await accounts().invitation('unknown', NOON)).toBeNull()
      const used = await Promise.all([accounts().deleteInvitation('invited'), accounts().deleteInvitation('invited')])
      expect(used.sort()).toEqual([false, true])
      expect(await accounts().invitation('invited', NOON)).toBeNull()
    })

    it('knows a token of a tool', async () => {
      await accounts().createToken({ tokenHash: 'tool', name: 'nightly report', accountId: null, createdAt: NOON })
      expect(await accounts().byToken('tool')).toEqual({ name: 'nightly report' })
      expect(await accounts().byToken('unknown')).toBeNull()
    })

    it('lists the tokens of tools, and knows none that was revoked', async () => {
      const { store: fresh } = await open()
      for (const [index, name] of ['first', 'second'].entries())
        await fresh.accounts.createToken({ tokenHash: name, name, accountId: null, createdAt: NOON + index })
      expect((await fresh.accounts.listTokens()).map(({ tokenHash }) => tokenHash)).toEqual(['first', 'second'])
      expect(await fresh.accounts.revokeToken('first')).toBe(true)
      expect(await fresh.accounts.revokeToken('first')).toBe(false)
      expect(await fresh.accounts.byToken('first')).toBeNull()
      expect(await fresh.accounts.listTokens()).toEqual([{ tokenHash: 'second', name: 'second', createdAt: NOON + 1 }])
      await fresh.close()
    })

    it('removes an account with its logins and invitations, but not the only owner unasked', async () => {
      const { store: fresh } = await open()
      const [owner, other] = [sampleAccount({ role: 'owner' }), sampleAccount({ createdAt: NOON + 1 })]
      for (const account of [owner, other]) await fresh.accounts.create(account)
      const { passwordHash: _, ...listed } = owner
      expect((await fresh.accounts.list())[0]).toEqual(listed)
      const lifetime = { createdAt: NOON, expiresAt: NOON + HOUR_MS }
      await fresh.accounts.createSession({ tokenHash: 'login', accountId: other.id, ...lifetime })
      await fresh.accounts.createInvitation({ tokenHash: 'again', email: other.email, ...lifetime })
      expect(await fresh.accounts.remove(other.id)).toBe(true)
      expect(await fresh.accounts.remove(other.id)).toBe(false)
      expect(await fresh.accounts.bySession('login', NOON)).toBeNull()
      expect(await fresh.accounts.invitation('again', NOON)).toBeNull()
      await expect(fresh.accounts.remove(owner.id)).rejects.toMatchObject({ code: 'conflict' })
      expect(await fresh.accounts.count()).toBe(1)
      expect(await fresh.accounts.remove(owner.id, { evenLastOwner: true })).toBe(true)
      expect(await fresh.accounts.create(sampleAccount(), { onlyIfFirst: true })).not.toBeNull()
      await fresh.close()
    })

    it('never leaves accounts without an owner, and makes more of them', async () => {
      const { store: fresh } = await open()
      const [owner, other] = [sampleAccount({ role: 'owner' }), sampleAccount({ createdAt: NOON + 1 })]
      for (const account of [owner, other]) await fresh.accounts.create(account)
      for (const options of [{}, { evenLastOwner: true }])
        await expect(fresh.accounts.remove(owner.id, options)).rejects.toMatchObject({
          code: 'conflict',
          message: expect.stringContaining('make-owner'),
        })
      expect(await fresh.accounts.makeOwner('nobody')).toBe(false)
      expect(await fresh.accounts.makeOwner(other.id)).toBe(true)
      expect((await fresh.accounts.list()).map(({ role }) => role)).toEqual(['owner', 'owner'])
      expect(await fresh.accounts.remove(owner.id)).toBe(true)
      await expect(fresh.accounts.remove(other.id)).rejects.toMatchObject({ code: 'conflict' })
      await fresh.close()
    })

    it('keeps an owner though all of them are removed at the same moment', async () => {
      const { store: fresh } = await open()
      const owners = Array.from({ length: 3 }, (_, later) => sampleAccount({ role: 'owner', createdAt: NOON + later }))
      for (const account of [...owners, sampleAccount({ createdAt: NOON + 9 })]) await fresh.accounts.create(account)
      await Promise.allSettled(owners.map(({ id }) => fresh.accounts.remove(id)))
      const left = (await fresh.accounts.list()).filter(({ role }) => role === 'owner')
      expect(left.length).toBeGreaterThan(0)
      // Who was refused may leave afterwards, but for the last.
      for (const { id } of left.slice(1)) expect(await fresh.accounts.remove(id)).toBe(true)
      await expect(fresh.accounts.remove(left[0]?.id ?? '')).rejects.toMatchObject({ code: 'conflict' })
      await fresh.close()
    })

    it('gives an account another password, which ends its logins', async () => {
      const account = sampleAccount()
      await accounts().create(account)
      const session = { accountId: account.id, createdAt: NOON, expiresAt: NOON + HOUR_MS }
      await accounts().createSession({ ...session, tokenHash: 'before the reset' })
      expect(await accounts().setPassword(account.id, 'another')).toBe(true)
      expect((await accounts().byId(account.id))?.passwordHash).toBe('another')
      expect(await accounts().bySession('before the reset', NOON)).toBeNull()
      expect(await accounts().setPassword('nobody', 'another')).toBe(false)
    })
  })
}
