import { createHash } from 'node:crypto'
import type { MovedFigures, Store } from '../store.ts'

export async function* figurePages(
  { moving }: Store,
  siteId: string,
  start: string | null = null,
): AsyncGenerator<{ rows: MovedFigures; next: string | null }> {
  let place = start
  do {
    const page = await moving.figures(siteId, place)
    yield page
    place = page.next
  } while (place !== null)
}

/** A sum of digests of every row: the same for the same figures in any order, in whatever engine. */
export async function figuresDigest(store: Store, siteId: string): Promise<string> {
  let sum = 0n
  for await (const { rows } of figurePages(store, siteId)) {
    const { totals, ...lists } = rows
    for (const [kind, list] of Object.entries(lists)) for (const row of list) sum += digest(kind, row)
    if (totals) sum += digest('totals', totals)
  }
  return (sum % 2n ** 64n).toString(16).padStart(16, '0')
}

function digest(kind: string, row: object): bigint {
  return createHash('sha1')
    .update(`${kind} ${JSON.stringify(row, inOrder)}`)
    .digest()
    .readBigUInt64BE(0)
}

/** Engines give fields and lists in orders of their own. */
function inOrder(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value) && Array.isArray(value[0])) return value.map((item) => JSON.stringify(item, inOrder)).sort()
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
