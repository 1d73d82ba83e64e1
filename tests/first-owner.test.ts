import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createAccounts } from '../server/accounts/create.ts'
import { AppError } from '../server/errors.ts'
import { openStore } from '../server/store/open.ts'
import { sampleSite } from '../server/store/sample-events.ts'
import type { Store } from '../server/store/store.ts'
import { type MongoServer, startMongo } from './mongo/mongo-server.ts'
import { storeNeeds } from './mongo/need.ts'
import { describeWith } from './needs.ts'
import { temporaryFolder } from './server.ts'
import { storeKinds } from './store-kind.ts'
import { withResolvers } from './with-resolvers.ts'

const SIGN_UPS = 4
const site = sampleSite({ id: 'default', name: 'Before' })

for (const kind of storeKinds)
  describeWith(storeNeeds[kind], `the first sign-ups at once on ${kind}`, () => {
    let server: MongoServer | undefined
    /** As two processes have them. */
    let stores: Store[] = []

    beforeAll(async () => {
      if (kind === 'mongo') server = await startMongo()
    })
    afterAll(() => Promise.all(stores.map((store) => store.close())))

    async function openBoth(): Promise<void> {
      const storePath = join(temporaryFolder(), 'veritas.db')
      const settings = { mongoUrl: server?.newDatabase() ?? null, storePath, storeReaders: 1 }
      stores = [await openStore(settings), await openStore(settings)]
      await stores[0]!.saveSite(site)
    }

    /** Sign-ups that have all seen that there is no owner before any of them goes on. */
    async function signUpAtOnce(emailOf: (index: number) => string) {
      let waiting = SIGN_UPS
      const all = withResolvers()
      const tries = Array.from({ length: SIGN_UPS }, (_, index) => {
        const store = stores[index % 2]!
        const count = async () => {
          const accounts = await store.accounts.count()
          waiting -= 1
          if (waiting === 0) all.resolve()
          await all.promise
          return accounts
        }
        const accounts = createAccounts({
          store: { ...store.accounts, count },
          sites: store,
          siteId: site.id,
          cookie: async () => '',
          now: Date.now,
          setupCode: null,
        })
        return accounts.signUp(
          { name: 'An owner', email: emailOf(index), password: 'a-long-password' },
          {
            address: `127.0.0.${index}`,
            site: { siteName: `Shop ${index}`, timeZone: 'Europe/Berlin', currency: 'EUR' },
          },
        )
      })
      const outcomes = await Promise.allSettled(tries)
      const won = outcomes.findIndex(({ status }) => status === 'fulfilled')
      const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
      return { won, refusals }
    }

    it('makes one of them the owner, of its own shop, and tells the others whom to ask', async () => {
      await openBoth()
      const { won, refusals } = await signUpAtOnce((index) => `owner${index}@example.com`)
      expect(await stores[0]!.accounts.list()).toMatchObject([{ email: `owner${won}@example.com`, role: 'owner' }])
      expect(await stores[0]!.site(site.id)).toMatchObject({ name: `Shop ${won}` })
      expect(refusals).toHaveLength(SIGN_UPS - 1)
      for (const refusal of refusals)
        expect(refusal).toMatchObject({ code: 'forbidden', message: expect.stringContaining('Ask them for an invit') })
    })

    it('tells somebody who sent the same form several times to log in', async () => {
      await Promise.all(stores.map((store) => store.close()))
      await openBoth()
      const { won, refusals } = await signUpAtOnce(() => 'ana@example.com')
      expect(await stores[0]!.site(site.id)).toMatchObject({ name: `Shop ${won}` })
      expect(refusals).toHaveLength(SIGN_UPS - 1)
      for (const refusal of refusals)
        expect(refusal).toMatchObject({ code: 'unprocessable', message: expect.stringContaining('Log in') })
    })

    it('leaves nobody behind whose shop cannot be as it is wished', async () => {
      await Promise.all(stores.map((store) => store.close()))
      await openBoth()
      const refuse = async (): Promise<never> => {
        throw new AppError('conflict', 'The time zone cannot change any more.', { field: 'timeZone' })
      }
      const { accounts } = stores[0]!
      const parts = { store: accounts, siteId: site.id, cookie: async () => '', now: Date.now, setupCode: null }
      const input = { name: 'An owner', email: 'ana@example.com', password: 'a-long-password' }
      const shop = { siteName: 'Shop', timeZone: 'Europe/Berlin', currency: 'EUR' }
      const from = { address: '127.0.0.1', site: shop }
      const fixed = createAccounts({ ...parts, sites: { ...stores[0]!, saveSite: refuse } })
      await expect(fixed.signUp(input, from)).rejects.toMatchObject({ field: 'timeZone' })
      const wrong = { ...from, site: { ...shop, timeZone: 'Nowhere' } }
      await expect(fixed.signUp(input, wrong)).rejects.toMatchObject({ field: 'timeZone' })
      expect(await accounts.count()).toBe(0)
      const { account } = await createAccounts({ ...parts, sites: stores[0]! }).signUp(input, from)
      expect(account.role).toBe('owner')
    })
  })
