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

/** Everything of the source that is no event; what the target has of it is replaced. */
export async function moveRows(from: Store, to: Store): Promise<void> {
  for (const kind of movedKinds) {
    if (kind !== 'sites') await to.moving.clearRows(kind)
    for await (const rows of rowPages(from, kind)) await to.moving.putRows(kind, rows)
  }
}
