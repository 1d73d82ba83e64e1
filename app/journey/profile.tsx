import type { Money } from '../../trpc/schema/common.ts'
import type { UserProfile } from '../../trpc/schema/users.ts'
import { seen } from '../format/direction.ts'
import { formatSum, mainFirst, partOf } from '../format/money.ts'
import { formatCount, formatDecimal, plural, unknown } from '../format/number.ts'
import { dayIn, formatDay, formatDuration, formatMoment } from '../format/time.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { Value } from '../parts/figure.tsx'
import { Face } from '../users/face.tsx'

/** A user's totals over the whole history. */
export function Profile({ user }: { user: UserProfile }) {
  const { timeZone: zone, currency } = user.site
  const money = mainFirst(user.money, currency)
  const since = formatDay(dayIn(user.firstActive, zone))
  const spanMs = Date.parse(user.lastActive) - Date.parse(user.firstActive)
  return (
    <section className="card" aria-labelledby="user-title">
      <div className="flex flex-wrap items-center gap-4 px-5 py-4.5 max-sm:px-4">
        <Face userId={user.userId} className="size-13!" />
        <div className="min-w-0 flex-[1_1_220px]">
          <h1 id="user-title" className="wrap-anywhere">
            <bdi>{seen(user.userId)}</bdi>
          </h1>
          <p className="text-text-2">
            Known since {since} · last active {formatMoment(user.lastActive, zone)}
          </p>
        </div>
        <CopyButton className="btn small" name="Copy ID" text={user.userId} />
      </div>
      <dl className="kpis six rounded-t-none! border-x-0! border-b-0! shadow-none!">
        <Figure name="Total Sessions" value={formatCount(user.totalSessions)} say={`since ${since}`} />
        <Figure
          name="Total Events"
          value={formatCount(user.totalEvents)}
          say={`${formatDecimal(user.totalSessions ? user.totalEvents / user.totalSessions : null)} a session`}
        />
        <Figure name="Orders" value={formatCount(user.orders)} say={orderRate(user)} />
        <Figure
          name="Revenue"
          value={money[0] ? formatSum(money[0]) : unknown}
          say={[money.length > 1 ? `and ${money.slice(1).map(formatSum).join(', ')}` : 'gross', trustText(money)]
            .filter((text) => text !== '')
            .join(' · ')}
        />
        <Figure
          name="Average order"
          value={
            money[0]?.orders ? formatSum({ ...money[0], gross: Math.round(money[0].gross / money[0].orders) }) : unknown
          }
          say={money[0] ? `of ${plural(money[0].orders, 'order')} in ${money[0].currency}` : 'no order yet'}
        />
        <Figure
          name="Usual gap"
          value={user.totalSessions > 1 ? formatDuration(spanMs / (user.totalSessions - 1)) : unknown}
          say="between sessions, on average"
        />
      </dl>
    </section>
  )
}

/** How often orders come: "one in 4.2 sessions", or "1.5 a session" if there is more than about one per session. */
function orderRate({ orders, totalSessions }: UserProfile): string {
  if (orders === 0) return 'none so far'
  // Below 1.05, "one in 1.0 sessions" would be shown; say how many a session instead.
  return totalSessions / orders >= 1.05
    ? `one in ${formatDecimal(totalSessions / orders)} sessions`
    : `${formatDecimal(totalSessions ? orders / totalSessions : null)} a session`
}

/** How much is verified and how much is only claimed by browsers, whose keys are public. */
function trustText(money: readonly Money[]): string {
  const mixed = money.filter((sum) => sum.claimed.orders > 0)
  const text = (trust: 'verified' | 'claimed') => partOf(mixed, trust).map(formatSum).join(' + ')
  return mixed.length === 0 ? '' : `${text('verified')} verified · ${text('claimed')} claimed by browsers`
}

function Figure({ name, value, say }: { name: string; value: string; say: string }) {
  return (
    <div className="kpi">
      <dt>{name}</dt>
      <Value text={value} />
      <dd className="d">{say}</dd>
    </div>
  )
}
