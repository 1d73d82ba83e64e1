import type { AppLoadContext, LoaderFunctionArgs } from '@remix-run/node'
import type { Money } from '../../trpc/schema/common.ts'
import type { UsersList } from '../../trpc/schema/users.ts'
import { requireReader } from '../accounts/visitor.server.ts'
import { csvLine, csvResponse, csvStream, refusedFile } from '../csv/csv.ts'
import { ask, fileOf } from '../errors/answers.server.ts'
import { claimedIn, mainFirst, partCells, sumCell } from '../format/money.ts'
import { formatInstant, learnClock } from '../format/time.ts'
import { addDays } from '../range/days.ts'
import { maxDays } from '../range/range.ts'
import type { ListAddress } from '../users/list-address.ts'
import { readListAddress } from '../users/list-address.ts'

const ROWS = 100

/** A CSV of all users that match a search, sorted, each once, from one snapshot. Times have the shop's UTC offset. */
export async function loader(args: LoaderFunctionArgs) {
  await requireReader(args)
  return fileOf(() => usersFile(args))
}

async function usersFile(args: LoaderFunctionArgs): Promise<Response> {
  const { trpc } = args.context
  const { searchParams } = new URL(args.request.url)
  // The list always covers the whole history. A file for a requested period would be misread, so refuse.
  const odd = ['from', 'to', 'range', 'trust'].find((name) => searchParams.has(name))
  if (odd !== undefined) throw refusedFile(`${odd}: the list of users is of the whole history and takes no period.`)
  const list = readListAddress(searchParams)
  const site = await ask(args, () => trpc.stats.site())
  const { today, currency, timeZone } = site
  learnClock(site)
  const first = await ask(args, () => page(trpc, list, undefined))
  // The server keeps a snapshot of the list for this file; release it afterwards.
  const onEnd = async () => {
    if (first.nextCursor !== null) await trpc.users.giveBack({ cursor: first.nextCursor })
  }
  // The header line has a column per currency, so the currencies must be known first.
  const money = await ask(args, () => allMoney(trpc, today)).catch(async (error) => {
    await onEnd()
    throw error
  })
  const codes = [...new Set(mainFirst(money, currency).map((sum) => sum.currency))]
  // Only currencies with claimed orders get the extra columns: elsewhere everything is verified.
  const claimed = codes.filter((code) => claimedIn(money).has(code))
  // Remix discards the body of a HEAD response without cancelling it, so release the snapshot here.
  if (args.request.method === 'HEAD') await onEnd()
  const rows = lines(trpc, { list, first, codes, claimed, timeZone })
  return csvResponse(csvStream(rows, onEnd), `veritas-users-${today}.csv`)
}

function page(trpc: AppLoadContext['trpc'], list: ListAddress, cursor: string | undefined): Promise<UsersList> {
  const { search, sort, order } = list
  return trpc.users.list({ search: search || undefined, sort, order, pageSize: ROWS, cursor, state: 'fixed' })
}

/** Revenue of the whole history, read in periods of maxDays, so that currencies no longer in use get a column too. */
async function allMoney(trpc: AppLoadContext['trpc'], today: string): Promise<Money[]> {
  const last = addDays(today, 1)
  const { allTime } = await trpc.stats.overview({ from: today, to: today })
  const money: Money[] = []
  for (let to = last; to >= (allTime.firstDay ?? last); to = addDays(to, -maxDays))
    money.push(...(await trpc.stats.overview({ from: addDays(to, 1 - maxDays), to })).money)
  return money
}

async function* lines(
  trpc: AppLoadContext['trpc'],
  {
    list,
    first,
    codes,
    claimed,
    timeZone,
  }: { list: ListAddress; first: UsersList; codes: string[]; claimed: string[]; timeZone: string },
): AsyncGenerator<string> {
  yield csvLine([
    'user_id',
    'total_sessions',
    'total_events',
    'orders',
    'first_active',
    'last_active',
    ...codes.map((code) => `revenue_${code}`),
    ...claimed.flatMap((code) => [`verified_${code}`, `claimed_${code}`]),
  ])
  let found = first
  for (;;) {
    yield found.users
      .map((user) =>
        csvLine([
          user.userId,
          user.totalSessions,
          user.totalEvents,
          user.orders,
          formatInstant(user.firstActive, timeZone),
          formatInstant(user.lastActive, timeZone),
          ...codes.map((code) => sumCell(user.money, code)),
          ...claimed.flatMap((code) => partCells(user.money, code)),
        ]),
      )
      .join('')
    if (!found.nextCursor) return
    found = await page(trpc, list, found.nextCursor)
  }
}
