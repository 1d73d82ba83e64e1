import { Fragment } from 'react'
import type { Money } from '../../trpc/schema/common.ts'
import { Sparkline } from '../charts/sparkline.tsx'
import { formatMoney, formatSum, grossOf, mainFirst } from '../format/money.ts'
import type { Change } from '../format/number.ts'
import { changeOf, formatCount, formatDecimal, formatShare, pointsChange, unknown } from '../format/number.ts'
import { Value } from '../parts/figure.tsx'
import type { CourseName, Drawing } from './drawing.ts'

interface Figure {
  label: string
  value: string
  change: Change | null
  before: string | null
  course: CourseName
  more?: string | null
}

/** The seven figures, each with the value before, how it moved and its course over the days. */
export function Kpis({ overview }: { overview: Drawing }) {
  const { previous } = overview
  return (
    <dl className="kpis">
      {figuresOf(overview).map((figure) => (
        <div key={figure.label} className="kpi">
          <dt>{figure.label}</dt>
          <Value text={figure.value} />
          <dd className="d">{figure.before !== null && <Moved change={figure.change} before={figure.before} />}</dd>
          {figure.more && <dd className="d">{figure.more}</dd>}
          <dd className="spark-cell">
            <Sparkline values={overview.courses[figure.course]} before={previous?.courses[figure.course]} />
          </dd>
        </div>
      ))}
      <Revenue overview={overview} />
    </dl>
  )
}

function figuresOf({ previous, ...now }: Drawing): Figure[] {
  const count = (label: string, key: 'totalUsers' | 'totalEvents' | 'sessions' | 'orders', course: CourseName) => ({
    label,
    value: formatCount(now[key]),
    change: changeOf(now[key], previous?.[key] ?? null),
    before: previous ? formatCount(previous[key]) : null,
    course,
  })
  return [
    count('Total Users', 'totalUsers', 'users'),
    count('Total Events', 'totalEvents', 'events'),
    {
      label: 'Avg Events/User',
      value: formatDecimal(now.avgEventsPerUser),
      change: changeOf(now.avgEventsPerUser, previous?.avgEventsPerUser ?? null),
      before: previous ? formatDecimal(previous.avgEventsPerUser) : null,
      course: 'perUser',
    },
    count('Sessions', 'sessions', 'sessions'),
    { ...count('Orders', 'orders', 'orders'), more: claimedOrders(now) },
    {
      label: 'Conversion',
      value: formatShare(now.conversion, 2),
      change: pointsChange(now.conversion, previous?.conversion ?? null),
      before: previous && now.trust === 'all' ? formatShare(previous.conversion, 2) : null,
      course: 'conversion',
      more: now.trust === 'all' ? null : 'sessions are of all orders',
    },
  ]
}

/** How many of the orders only browsers state, whose keys everybody can read. */
function claimedOrders({ money, trust }: Pick<Drawing, 'money' | 'trust'>): string | null {
  if (trust === 'verified') return 'verified only'
  const orders = money.reduce((sum, { claimed }) => sum + claimed.orders, 0)
  return orders === 0 ? null : `${formatCount(orders)} claimed by browsers`
}

function Revenue({ overview }: { overview: Drawing }) {
  const { money, previous, site } = overview
  const codes = [...new Set([...money, ...(previous?.money ?? [])].map((sum) => sum.currency))]
  const sums = mainFirst(
    codes.map((currency): Sum => money.find((sum) => sum.currency === currency) ?? { currency, gross: 0 }),
    site.currency,
  )
  const [main, ...others] = sums
  const before = (currency: string) => (previous ? grossOf(previous.money, currency) : null)
  return (
    <div className="kpi wide">
      <dt>Revenue</dt>
      <Value text={main ? formatSum(main) : formatMoney(0, site.currency)} />
      <dd className="d">
        {main && <MovedMoney now={main.gross} before={before(main.currency)} code={main.currency} />}
      </dd>
      {overview.trust === 'verified' && <dd className="d">verified only</dd>}
      {main && <Claimed sum={main} />}
      {others.slice(0, 2).map((sum) => (
        <Fragment key={sum.currency}>
          <Value text={formatSum(sum)} className="v second" />
          <dd className="d">
            <MovedMoney now={sum.gross} before={before(sum.currency)} code={sum.currency} />
          </dd>
          <Claimed sum={sum} />
        </Fragment>
      ))}
      {others.length > 2 && <dd className="d mt-1">and {others.length - 2} more currencies below</dd>}
      {others.length === 0 && (
        <dd className="spark-cell">
          <Sparkline values={overview.courses.gross} before={previous?.courses.gross} />
        </dd>
      )}
    </div>
  )
}

type Sum = Pick<Money, 'currency' | 'gross' | 'isMore'> & Partial<Pick<Money, 'claimed'>>

/** How much of a sum only browsers say, whose keys everybody can read. */
function Claimed({ sum: { gross, claimed, currency } }: { sum: Sum }) {
  if (!claimed || claimed.orders === 0) return null
  const share = gross === 0 ? null : claimed.gross / gross
  return (
    <dd className="d" title="Said by browser keys only. Orders that a server key states are verified.">
      {formatSum({ ...claimed, currency })} ({formatShare(share)}) claimed by browsers
    </dd>
  )
}

function MovedMoney({ now, before, code }: { now: number; before: number | null; code: string }) {
  return before === null ? null : <Moved change={changeOf(now, before)} before={formatMoney(before, code)} />
}

function Moved({ change, before }: { change: Change | null; before: string }) {
  return (
    <>
      {change && <ChangeMark change={change} />} vs {before}
    </>
  )
}

/** ▲ 6.6% or ▼ 1.9%, in colour and with its direction in words for those who hear the page. */
export function ChangeMark({ change }: { change: Change | null }) {
  if (!change)
    return (
      <b>
        <span aria-hidden="true">{unknown}</span>
        <span className="sr-only">no change to state</span>
      </b>
    )
  if (change.direction === 'same') return <b>±{change.text}</b>
  const up = change.direction === 'up'
  return (
    <b className={up ? 'up' : 'down'}>
      <span aria-hidden="true">{up ? '▲' : '▼'} </span>
      <span className="sr-only">{up ? 'up' : 'down'} </span>
      {change.text}
    </b>
  )
}
