import type { Store } from '../store.ts'
import { countSite, type SiteCount } from './count.ts'
import { allRows, movedKinds } from './rows.ts'

export interface Receipt {
  sites: {
    siteId: string
    /** Each number by its name, on both sides. */
    numbers: { name: string; source: number | string; target: number | string }[]
  }[]
  /** Sites, accounts and so on. */
  rows: { kind: string; source: number; target: number }[]
  isEqual: boolean
}

/** Counts both sides by themselves, event by event and figure by figure. */
export async function writeReceipt(
  from: Store,
  to: Store,
  tell: (counted: number) => void,
  signal?: AbortSignal,
): Promise<Receipt> {
  const sites: Receipt['sites'] = []
  let before = 0
  for (const site of await allRows(from, 'sites')) {
    const counts: SiteCount[] = []
    for (const store of [from, to]) {
      const count = await countSite(store, site, (events) => tell(before + events), signal)
      before += Number(count.get('events'))
      counts.push(count)
    }
    const [source, target] = counts as [SiteCount, SiteCount]
    const names = [...new Set([...source.keys(), ...target.keys()])]
    const numbers = names.map((name) => ({ name, source: source.get(name) ?? 0, target: target.get(name) ?? 0 }))
    sites.push({ siteId: site.id, numbers })
  }
  const rows: Receipt['rows'] = []
  for (const kind of movedKinds) {
    const [source, target] = [await allRows(from, kind), await allRows(to, kind)]
    rows.push({ kind, source: source.length, target: target.length })
  }
  const isEqual =
    rows.every(({ source, target }) => source === target) &&
    sites.every(({ numbers }) => numbers.every(({ source, target }) => source === target))
  return { sites, rows, isEqual }
}
