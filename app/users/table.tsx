import { Link, useLocation } from '@remix-run/react'
import type { User } from '../../trpc/schema/users.ts'
import { seen } from '../format/direction.ts'
import { formatSum, mainFirst, verifiedText } from '../format/money.ts'
import { formatCount, unknown } from '../format/number.ts'
import { dayIn, formatShortDay, formatTime } from '../format/time.ts'
import { Icon } from '../parts/icon.tsx'
import { Rows } from '../parts/rows.tsx'
import { Face } from './face.tsx'
import type { ListAddress } from './list-address.ts'
import { columnClass, columns, journeyAddress, listAddress } from './list-address.ts'

export function UsersTable({
  users,
  list,
  zone,
  currency,
  today,
}: {
  users: User[]
  list: ListAddress
  zone: string
  currency: string
  today: string
}) {
  const { search } = useLocation()
  return (
    <Rows name="Users and their totals" className="border-t border-border">
      <table className="table open-rows">
        <caption className="sr-only">Users with their totals over the whole history</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Header key={column.label} column={column} list={list} />
            ))}
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <tr key={user.userId}>
              <th scope="row">
                <Link className="user-id" to={journeyAddress(user.userId, search)} data-row title={seen(user.userId)}>
                  <Face userId={user.userId} />
                  <span>
                    <bdi>{seen(user.userId)}</bdi>
                  </span>
                </Link>
              </th>
              <td className="num not-tiny">{formatCount(user.totalSessions)}</td>
              <td className="num">{formatCount(user.totalEvents)}</td>
              <td className="num wide-only">
                {user.orders === 0 ? <span className="text-text-3">0</span> : formatCount(user.orders)}
              </td>
              <td className="num wide-only">
                <Revenue user={user} currency={currency} />
              </td>
              <td className="num wide-only">
                <Moment iso={user.firstActive} zone={zone} today={today} />
              </td>
              <td className="num">
                <Moment iso={user.lastActive} zone={zone} today={today} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Rows>
  )
}

function Header({ column, list }: { column: (typeof columns)[number]; list: ListAddress }) {
  const { sort, label, first } = column
  const className = columnClass(label)
  if (sort === null)
    return (
      <th scope="col" className={className}>
        {label}
      </th>
    )
  const sorted = list.sort === sort
  const order = sorted ? (list.order === 'asc' ? 'desc' : 'asc') : first
  return (
    <th
      scope="col"
      className={className}
      aria-sort={sorted ? (list.order === 'asc' ? 'ascending' : 'descending') : undefined}
    >
      <Link className="sort" to={listAddress(list, { sort, order })} preventScrollReset>
        {label}
        <Icon name={sorted ? (list.order === 'asc' ? 'sortUp' : 'sortDown') : 'sortNone'} />
      </Link>
    </th>
  )
}

function Revenue({ user, currency }: { user: User; currency: string }) {
  if (user.money.length === 0) return <span className="text-text-3">{unknown}</span>
  return mainFirst(user.money, currency).map((sum, index) => (
    <span key={sum.currency} className={index > 0 ? 'ml-2 text-text-2' : undefined}>
      {formatSum(sum)}
      {sum.claimed.orders > 0 && <span className="ml-1 text-xs text-text-3"> ({verifiedText(sum)})</span>}
    </span>
  ))
}

/** A date and time; on narrow screens the year is hidden if it is the current one. */
function Moment({ iso, zone, today }: { iso: string; zone: string; today: string }) {
  const day = dayIn(iso, zone)
  return (
    <time dateTime={iso}>
      {formatShortDay(day)}
      <span className={day.slice(0, 4) === today.slice(0, 4) ? 'wide-only' : undefined}> {day.slice(0, 4)}</span>,{' '}
      {formatTime(iso, zone)}
    </time>
  )
}
