import type { MovedFigures, Store, StoredEvent } from './store.ts'

/** Every event and every figure that a store keeps of a site, in an order of their own: equal for stores that are alike. */
export async function allOf(store: Store, siteId: string): Promise<{ events: StoredEvent[]; figures: MovedFigures }> {
  const events: StoredEvent[] = []
  for await (const some of store.scanEvents(siteId)) events.push(...some)
  const figures: MovedFigures = { users: [], sessions: [], orders: [], days: [], totals: null }
  let place: string | null = null
  do {
    const { rows, next }: { rows: MovedFigures; next: string | null } = await store.moving.figures(siteId, place)
    figures.users.push(...rows.users)
    figures.sessions.push(...rows.sessions)
    figures.orders.push(...rows.orders)
    figures.days.push(...rows.days)
    figures.totals ??= rows.totals
    place = next
  } while (place !== null)
  return {
    events: sorted(events),
    figures: {
      users: sorted(figures.users.map((user) => ({ ...user, money: sorted(user.money) }))),
      sessions: sorted(figures.sessions.map((session) => ({ ...session, money: sorted(session.money) }))),
      orders: sorted(figures.orders.map((order) => ({ ...order, others: sorted(order.others) }))),
      days: sorted(
        figures.days.map(({ money, aside, types, hours, pairs, ...day }) => ({
          ...{ ...day, money: sorted(money), aside: sorted(aside), types: sorted(types) },
          ...{ hours: sorted(hours), pairs: sorted(pairs) },
        })),
      ),
      totals: figures.totals,
    },
  }
}

function sorted<Row>(rows: readonly Row[]): Row[] {
  const named = rows.map((row): [string, Row] => [
    JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)),
    row,
  ])
  return named.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}
