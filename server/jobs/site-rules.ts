import type { ZoneRules } from './zone-rules.ts'

/**
 * The time zone rules of every site, as one. `rulesOf` makes those of one site. A site that is made later has no events
 * yet, and joins at the next start.
 */
export function createSiteRules(
  sites: () => Promise<{ id: string }[]>,
  rulesOf: (siteId: string) => ZoneRules,
): ZoneRules {
  const bySite = new Map<string, ZoneRules>()
  let isClosed = false

  return {
    async compare() {
      for (const { id } of await sites()) {
        if (isClosed) return
        const rules = bySite.get(id) ?? rulesOf(id)
        bySite.set(id, rules)
        await rules.compare()
      }
    },
    /** One site after another: counting days again takes the store's time. */
    async recount() {
      for (const rules of bySite.values()) await rules.recount()
    },
    async assertOwn() {
      for (const rules of bySite.values()) await rules.assertOwn()
    },
    assertCounted() {
      for (const rules of bySite.values()) rules.assertCounted()
    },
    close() {
      isClosed = true
      for (const rules of bySite.values()) rules.close()
    },
  }
}
