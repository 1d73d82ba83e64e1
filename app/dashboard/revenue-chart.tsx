import { Link, useLocation } from '@remix-run/react'
import { BarChart } from '../charts/bar-chart.tsx'
import { bucketName, isLong, timeTicks } from '../charts/ticks.ts'
import { formatMoneyAxis, formatSum, mainFirst } from '../format/money.ts'
import { plural } from '../format/number.ts'
import { formatRange, weekdayOf } from '../format/time.ts'
import { AsTable } from '../parts/as-table.tsx'
import { Card, Empty } from '../parts/card.tsx'
import { withParams } from '../range/range.ts'
import type { Drawing, RevenueBucket } from './drawing.ts'

/** Gross revenue in one currency: amounts in different currencies are never added up. */
export function RevenueChart({ overview, className }: { overview: Drawing; className: string }) {
  const { site, range, series, revenue } = overview
  const money = mainFirst(overview.money, site.currency)
  const interval = revenue?.interval ?? (series.interval === 'week' ? 'week' : 'day')
  const title = `Revenue Per ${interval === 'week' ? 'Week' : 'Day'}`
  if (!revenue)
    return (
      <Card title={title} className={className}>
        <Empty title="No orders in this period">
          Every <code>purchase</code> event with an order ID, a revenue and a currency counts here.
        </Empty>
      </Card>
    )
  const { currency, buckets, hasClaims } = revenue
  const long = isLong(buckets)
  const begun = buckets.filter((bucket) => bucket.isBegun)
  const said = (bucket: RevenueBucket | undefined) =>
    bucket?.isBegun ? formatSum({ ...bucket, currency }) : 'not begun'
  const verified = (bucket: RevenueBucket) => formatSum({ ...bucket.verified, currency })
  const sum = money.find((sum) => sum.currency === currency)
  const total = formatSum(sum ?? { gross: 0, currency })
  const part = sum && hasClaims ? `, ${formatSum({ ...sum.verified, currency })} of it verified` : ''
  // If a sum exceeds the range of a number, the scale would be so large that nothing else could be seen.
  const isTooMuch = hasClaims && buckets.some((bucket) => bucket.isMore)
  const name = (bucket: RevenueBucket | undefined) =>
    bucket ? bucketName(bucket, interval, { zone: site.timeZone, weekday: weekdayOf(bucket.date), long }) : ''
  return (
    <Card
      title={title}
      note={`${total} in ${currency}${part}.${isTooMuch ? ' Browsers claim more than can be drawn: the bars are verified orders.' : ''}${money.length > 1 ? ' Currencies are never added together.' : ''}`}
      className={className}
      aside={money.length > 1 && <CurrencyChoice codes={money.map((sum) => sum.currency)} chosen={currency} />}
      footer={
        <AsTable
          title={title}
          columns={[
            { name: interval === 'week' ? 'Week' : 'Day' },
            { name: 'Orders', number: true },
            { name: `Revenue (${currency})`, number: true },
            ...(hasClaims ? [{ name: `Verified (${currency})`, number: true }] : []),
          ]}
          rows={begun
            .map((b) => [name(b), plural(b.orders, 'order'), said(b), ...(hasClaims ? [verified(b)] : [])])
            .reverse()}
        />
      }
    >
      {hasClaims && !isTooMuch && (
        <div className="legend">
          <span>
            <i className="bar" />
            verified
          </span>
          <span>
            <i className="bar claimed" />
            claimed by browsers
          </span>
        </div>
      )}
      <BarChart
        label={`${title} in ${currency}, ${formatRange(range.from, range.to)}. Total ${total}${part}. The numbers follow as a table.`}
        pointerLabel={`${title}, bucket by bucket`}
        values={buckets.map((bucket) => (isTooMuch ? bucket.verified.gross : bucket.gross))}
        parts={hasClaims && !isTooMuch ? buckets.map((bucket) => bucket.verified.gross) : null}
        xTicks={timeTicks(buckets, interval, site.timeZone)}
        formatTick={(value) => formatMoneyAxis(value, currency)}
        tipLines={(index) => (
          <>
            <b>{name(buckets[index])}</b>
            {said(buckets[index])}
            {buckets[index]?.isBegun && (
              <span className="faint block">
                {plural(buckets[index].orders, 'order')}
                {hasClaims && ` · ${verified(buckets[index])} verified`}
              </span>
            )}
          </>
        )}
        describe={(index) => {
          const bucket = buckets[index]
          return `${name(bucket)}: ${said(bucket)}${hasClaims && bucket?.isBegun ? `, ${verified(bucket)} of it verified` : ''}`
        }}
      />
    </Card>
  )
}

function CurrencyChoice({ codes, chosen }: { codes: string[]; chosen: string }) {
  const { search } = useLocation()
  return (
    <nav className="seg" aria-label="Currency">
      {codes.map((code) => (
        <Link
          key={code}
          to={withParams(search, { currency: code })}
          aria-current={code === chosen ? 'true' : undefined}
          preventScrollReset
          replace
        >
          {code}
        </Link>
      ))}
    </nav>
  )
}
