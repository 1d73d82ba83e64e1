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

/** Every user of a list's search in its sort, once and as all were at the beginning, page after page; times are of the shop's zone, with its offset. */
export async function loader(args: LoaderFunctionArgs) {
  await requireReader(args)
  return fileOf(() => usersFile(args))
}

async function usersFile(args: LoaderFunctionArgs): Promise<Response> {
  const { trpc } = args.context
  const { searchParams } = new URL(args.request.url)
  // A page can show that it is of the whole history; a file would be taken for one of the period that was asked for.
  const odd = ['from', 'to', 'range', 'trust'].find((name) => searchParams.has(name))
  if (odd !== undefined) throw refusedFile(`${odd}: the list of users is of the whole history and takes no period.`)
  const list = readListAddress(searchParams)
  const site = await ask(args, () => trpc.stats.site())
  const { today, currency, timeZone } = site
  learnClock(site)
  const first = await ask(args, () => page(trpc, list, undefined))
  // The list is kept for this file alone.
  const onEnd = async () => {
    if (first.nextCursor !== null) await trpc.users.giveBack({ cursor: first.nextCursor })
  }
  // The head of the file names the currencies, so they must be known before its first line.
  const money = await ask(args, () => allMoney(trpc, today)).catch(async (error) => {
    await onEnd()
    throw error
  })
  const codes = [...new Set(mainFirst(money, currency).map((sum) => sum.currency))]
  // Only where browsers claim something: elsewhere all of it is verified.
  const claimed = codes.filter((code) => claimedIn(money).has(code))
  // Of an answer that has a head alone, Remix forgets the body.
  if (args.request.method === 'HEAD') await onEnd()
  const rows = lines(trpc, { list, first, codes, claimed, timeZone })
  return csvResponse(csvStream(rows, onEnd), `veritas-users-${today}.csv`)
}

function page(trpc: AppLoadContext['trpc'], list: ListAddress, cursor: string | undefined): Promise<UsersList> {
  const { search, sort, order } = list
  return trpc.users.list({ search: search || undefined, sort, order, pageSize: ROWS, cursor, state: 'fixed' })
}

/** Sums of the whole history, of some years each: a currency of long ago has its column too. */
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
