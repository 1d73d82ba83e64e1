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

/** Gross revenue in one currency at a time: sums of different currencies are never added. */
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
  const { currency, buckets } = revenue
  const long = isLong(buckets)
  const begun = buckets.filter((bucket) => bucket.isBegun)
  const said = (bucket: RevenueBucket | undefined) =>
    bucket?.isBegun ? formatSum({ ...bucket, currency }) : 'not begun'
  const total = formatSum(money.find((sum) => sum.currency === currency) ?? { gross: 0, currency })
  const name = (bucket: RevenueBucket | undefined) =>
    bucket ? bucketName(bucket, interval, { zone: site.timeZone, weekday: weekdayOf(bucket.date), long }) : ''
  return (
    <Card
      title={title}
      note={`${total} in ${currency}.${money.length > 1 ? ' Currencies are never added together.' : ''}`}
      className={className}
      aside={money.length > 1 && <CurrencyChoice codes={money.map((sum) => sum.currency)} chosen={currency} />}
      footer={
        <AsTable
          title={title}
          columns={[
            { name: interval === 'week' ? 'Week' : 'Day' },
            { name: 'Orders', number: true },
            { name: `Revenue (${currency})`, number: true },
          ]}
          rows={begun.map((b) => [name(b), plural(b.orders, 'order'), formatSum({ ...b, currency })]).reverse()}
        />
      }
    >
      <BarChart
        label={`${title} in ${currency}, ${formatRange(range.from, range.to)}. Total ${total}. The numbers follow as a table.`}
        pointerLabel={`${title}, bucket by bucket`}
        values={buckets.map((bucket) => bucket.gross)}
        xTicks={timeTicks(buckets, interval, site.timeZone)}
        formatTick={(value) => formatMoneyAxis(value, currency)}
        tipLines={(index) => (
          <>
            <b>{name(buckets[index])}</b>
            {said(buckets[index])}
            {buckets[index]?.isBegun && <span className="faint block">{plural(buckets[index].orders, 'order')}</span>}
          </>
        )}
        describe={(index) => `${name(buckets[index])}: ${said(buckets[index])}`}
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
