import { isDeepStrictEqual } from 'node:util'
import type { MovedKind, MovedRows, Store } from '../store.ts'

/** Sites first: the others belong to them. */
export const movedKinds: readonly MovedKind[] = ['sites', 'accounts', 'logins', 'invitations', 'tokens', 'keys', 'jobs']

const keys: { [Kind in MovedKind]: keyof MovedRows[Kind] & string } = {
  sites: 'id',
  accounts: 'id',
  logins: 'tokenHash',
  invitations: 'tokenHash',
  tokens: 'tokenHash',
  keys: 'keyHash',
  jobs: 'name',
}

async function* rowPages<Kind extends MovedKind>(store: Store, kind: Kind): AsyncGenerator<MovedRows[Kind][]> {
  let after: string | null = null
  for (;;) {
    const rows: MovedRows[Kind][] = await store.moving.rows(kind, after)
    const last = rows.at(-1)
    if (!last) return
    yield rows
    after = String(last[keys[kind]])
  }
}

export async function allRows<Kind extends MovedKind>(store: Store, kind: Kind): Promise<MovedRows[Kind][]> {
  const all: MovedRows[Kind][] = []
  for await (const rows of rowPages(store, kind)) all.push(...rows)
  return all
}

/** How many rows of a kind each side has, and how many of all are not on both, or not alike. */
export async function compareRows<Kind extends MovedKind>(
  kind: Kind,
  from: Store,
  to: Store,
): Promise<{ kind: Kind; source: number; target: number; different: number }> {
  const [source, target] = [await byKey(from, kind), await byKey(to, kind)]
  const all = new Set([...source.keys(), ...target.keys()])
  const different = [...all].filter((key) => !isDeepStrictEqual(source.get(key), target.get(key))).length
  return { kind, source: source.size, target: target.size, different }
}

async function byKey<Kind extends MovedKind>(store: Store, kind: Kind): Promise<Map<string, MovedRows[Kind]>> {
  return new Map((await allRows(store, kind)).map((row) => [String(row[keys[kind]]), row]))
}

/** Everything of the source that is no event; what the target has of it is replaced. */
export async function moveRows(from: Store, to: Store): Promise<void> {
  for (const kind of movedKinds) {
    if (kind !== 'sites') await to.moving.clearRows(kind)
    for await (const rows of rowPages(from, kind)) await to.moving.putRows(kind, rows)
  }
}
