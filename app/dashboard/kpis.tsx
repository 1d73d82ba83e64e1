import { Fragment } from 'react'
import type { Money } from '../../trpc/schema/common.ts'
import { Sparkline } from '../charts/sparkline.tsx'
import { formatMoney, formatSum, mainFirst, type Sum } from '../format/money.ts'
import type { Change } from '../format/number.ts'
import { changeOf, formatCount, formatDecimal, formatShare, pointsChange, unknown } from '../format/number.ts'
import { Value } from '../parts/figure.tsx'
import { Icon } from '../parts/icon.tsx'
import type { CourseName, Drawing } from './drawing.ts'

interface Figure {
  label: string
  value: string
  change: Change | null
  before: string | null
  course: CourseName
  more?: string | null
}

/** The seven figures, each with its previous value, the change and a sparkline over the days. */
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

/** How many orders are only claimed by browsers, whose keys are public. Null if there are none. */
function claimedOrders({ money, trust }: Pick<Drawing, 'money' | 'trust'>): string | null {
  if (trust === 'verified') return 'verified only'
  const orders = money.reduce((sum, { claimed }) => sum + claimed.orders, 0)
  return orders === 0 ? null : `${formatCount(orders)} claimed by browsers`
}

function Revenue({ overview }: { overview: Drawing }) {
  const { money, previous, site } = overview
  const codes = [...new Set([...money, ...(previous?.money ?? [])].map((sum) => sum.currency))]
  const [main, ...others] = mainFirst(
    codes.map((currency) => sumOf(money, currency)),
    site.currency,
  )
  const before = (currency: string) => (previous ? sumOf(previous.money, currency) : null)
  return (
    <div className="kpi wide">
      <dt>Revenue</dt>
      <Value text={main ? formatSum(main) : formatMoney(0, site.currency)} />
      <dd className="d">{main && <MovedMoney now={main} before={before(main.currency)} />}</dd>
      {overview.trust === 'verified' && <dd className="d">verified only</dd>}
      {main && <Parts sum={main} />}
      {others.slice(0, 2).map((sum) => (
        <Fragment key={sum.currency}>
          <Value text={formatSum(sum)} className="v second" />
          <dd className="d">
            <MovedMoney now={sum} before={before(sum.currency)} />
          </dd>
          <Parts sum={sum} />
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

type KpiSum = Sum & Partial<Pick<Money, 'verified' | 'claimed'>>

function sumOf(money: readonly Money[], currency: string): KpiSum {
  return money.find((sum) => sum.currency === currency) ?? { currency, gross: 0 }
}

/** A sum split into the part servers state and the part only browsers claim, whose keys are public. */
function Parts({ sum: { gross, isMore, verified, claimed, currency } }: { sum: KpiSum }) {
  if (!verified || !claimed || claimed.orders === 0) return null
  const share = isMore || gross === 0 ? '' : ` (${formatShare(claimed.gross / gross)})`
  return (
    <>
      <dd className="d" title="Orders that a server key states.">
        {formatSum({ ...verified, currency })} verified
      </dd>
      <dd className="d" title="Said by browser keys only.">
        {formatSum({ ...claimed, currency })}
        {share} claimed by browsers
      </dd>
    </>
  )
}

/** The change of a sum; unknown if either value exceeds the range of a number. */
function MovedMoney({ now, before }: { now: KpiSum; before: KpiSum | null }) {
  if (before === null) return null
  const isKnown = !now.isMore && !before.isMore
  return <Moved change={isKnown ? changeOf(now.gross, before.gross) : null} before={formatSum(before)} />
}

function Moved({ change, before }: { change: Change | null; before: string }) {
  return (
    <>
      {change && <ChangeMark change={change} />} vs {before}
    </>
  )
}

/** The change, such as "6.6%", with a colored rising or falling line, and the direction in words for screen readers. */
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
      <Icon name={up ? 'rise' : 'fall'} />
      <span className="sr-only">{up ? 'up' : 'down'} </span>
      {change.text}
    </b>
  )
}
