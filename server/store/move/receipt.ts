import { monthStart } from '../../analysis/months.ts'
import { dayOf } from '../../analysis/zones.ts'
import type { Store } from '../store.ts'
import { countSite, type SiteCount } from './count.ts'
import { figuresDigest } from './figures.ts'
import { allRows, compareRows, movedKinds } from './rows.ts'

export interface Receipt {
  sites: {
    siteId: string
    /** Each number by its name, on both sides. */
    numbers: { name: string; source: number | string; target: number | string }[]
  }[]
  /** Sites, accounts and so on; `different` are not on both sides, or not alike. */
  rows: { kind: string; source: number; target: number; different: number }[]
  /** YYYYMM. Events from before it were dropped at the source, and its figures are copies; null for none dropped. */
  keptFrom: number | null
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
  const keptFrom = await from.keptFrom()
  let before = 0
  for (const site of await allRows(from, 'sites')) {
    const counts: SiteCount[] = []
    for (const store of [from, to]) {
      const count = await countSite(store, site, (events) => tell(before + events), signal)
      before += Number(count.get('events'))
      if (keptFrom !== null) count.set('copied figures', await figuresDigest(store, site.id))
      counts.push(count)
    }
    const [source, target] = counts as [SiteCount, SiteCount]
    const names = [...new Set([...source.keys(), ...target.keys()])]
    const numbers = names.map((name) => ({ name, source: source.get(name) ?? 0, target: target.get(name) ?? 0 }))
    if (keptFrom !== null) numbers.push(...unlike(target, dayOf(site.timeZone, monthStart(keptFrom))))
    sites.push({ siteId: site.id, numbers })
  }
  const rows: Receipt['rows'] = []
  for (const kind of movedKinds) rows.push(await compareRows(kind, from, to))
  const isEqual =
    (await to.keptFrom()) === keptFrom &&
    rows.every(({ different }) => different === 0) &&
    sites.every(({ numbers }) => numbers.every(({ source, target }) => source === target))
  return { sites, rows, keptFrom, isEqual }
}

/** Copied figures are no opinion of the target's own: their days are held against its events, where all are kept. */
function unlike(count: SiteCount, firstDay: string): Receipt['sites'][number]['numbers'] {
  const counted = new Map<string, number>()
  for (const [name, value] of count) {
    const [what, day = ''] = name.split(' ')
    if (what === 'events' && day > firstDay) counted.set(day, (counted.get(day) ?? 0) + Number(value))
  }
  for (const name of count.keys()) {
    const [what, figure, day = ''] = name.split(' ')
    if (what === 'figure' && figure === 'events' && isDay(day) && day > firstDay && !counted.has(day))
      counted.set(day, 0)
  }
  return [...counted]
    .map(([day, events]) => ({
      name: `copied figure and events ${day}`,
      source: count.get(`figure events ${day}`) ?? 0,
      target: events,
    }))
    .filter(({ source, target }) => source !== target)
}

function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text)
}
