import { expect, it } from 'vitest'
import { createSiteRules } from './site-rules.ts'
import type { ZoneRules } from './zone-rules.ts'

it('does for every site what it is asked, one after another', async () => {
  const done: string[] = []
  const rulesOf = (id: string): ZoneRules => ({
    compare: async () => void done.push(`compare ${id}`),
    recount: async () => void done.push(`recount ${id}`),
    assertOwn: async () => void done.push(`own ${id}`),
    assertCounted: () => void done.push(`counted ${id}`),
    close: () => void done.push(`close ${id}`),
  })
  const sites = [{ id: 'a' }]
  const rules = createSiteRules(async () => sites, rulesOf)
  await rules.compare()
  sites.push({ id: 'b' })
  await rules.compare()
  await rules.recount()
  await rules.assertOwn()
  rules.assertCounted()
  rules.close()
  expect(done).toEqual([
    'compare a',
    ...['compare', 'recount', 'own', 'counted', 'close'].flatMap((verb) => [`${verb} a`, `${verb} b`]),
  ])
})

it('refuses what any of the sites refuses', async () => {
  const quiet = { compare: async () => {}, recount: async () => {}, close: () => {} }
  const rules = createSiteRules(
    async () => [{ id: 'well' }, { id: 'moved' }],
    (id) => ({
      ...quiet,
      assertOwn: async () => assertWell(id),
      assertCounted: () => assertWell(id),
    }),
  )
  await rules.compare()
  await expect(rules.assertOwn()).rejects.toThrow('moved')
  expect(() => rules.assertCounted()).toThrow('moved')
})

function assertWell(id: string): void {
  if (id !== 'well') throw new Error(id)
}
