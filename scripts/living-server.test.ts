import { expect, it } from 'vitest'
import type { Store } from '../server/store/store.ts'
import { assertNoServer } from './living-server.ts'

/** A store in which one server is registered; `silentMs` says at each look how long it has been silent. */
function storeWith(silentMs: () => number): Store {
  const exchange = async () => [{ host: 'box-2', waiting: 0, oldestMs: null, survives: true, silentMs: silentMs() }]
  return { logs: { exchange, leave: async () => {} } } as unknown as Store
}

it('refuses a database on which a server tells of itself again and again', async () => {
  await expect(
    assertNoServer(
      'to',
      'mongodb://db/shop',
      storeWith(() => 100),
      '',
    ),
  ).rejects.toMatchObject({
    code: 'conflict',
    message: '--to: a server runs on mongodb://db/shop (it is on box-2): stop it first.',
  })
})

it('takes a database whose server said its last word before, and one that nobody told anything', async () => {
  const toldAt = performance.now() - 18_500
  await assertNoServer(
    'from',
    'mongodb://db/shop',
    storeWith(() => performance.now() - toldAt),
    '',
  )
  await assertNoServer('from', 'sqlite:/nowhere/veritas.db', {} as Store, '/nowhere/veritas.db')
})
