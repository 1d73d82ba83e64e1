import { Link, useLocation } from '@remix-run/react'
import type { DayFigures, Overview } from '../../trpc/schema/stats.ts'
import { BarChart } from '../charts/bar-chart.tsx'
import { bucketName, timeTicks } from '../charts/ticks.ts'
import { formatMoney, formatMoneyAxis, grossOf, mainFirst } from '../format/money.ts'
import { plural } from '../format/number.ts'
import { formatRange, weekdayOf } from '../format/time.ts'
import { AsTable } from '../parts/as-table.tsx'
import { Card, Empty } from '../parts/card.tsx'
import { addDays } from '../range/days.ts'
import { withParams } from '../range/range.ts'

interface Bucket {
  at: string
  date: string
  gross: number
  orders: number
}

/** Gross revenue in one currency at a time: sums of different currencies are never added. */
export function RevenueChart({ overview, className }: { overview: Overview; className: string }) {
  const { search } = useLocation()
  const { site, range, series } = overview
  const money = mainFirst(overview.money, site.currency)
  const asked = new URLSearchParams(search).get('currency')
  const chosen = money.find((sum) => sum.currency === asked) ?? money[0]
  const interval = series.interval === 'week' ? 'week' : 'day'
  const title = `Revenue Per ${interval === 'week' ? 'Week' : 'Day'}`
  if (!chosen)
    return (
      <Card title={title} className={className}>
        <Empty title="No orders in this period">
          Every <code>purchase</code> event with an order ID, a revenue and a currency counts here.
        </Empty>
      </Card>
    )
  const { currency } = chosen
  const buckets = bucketsOf(overview.days, currency, interval)
  const total = formatMoney(chosen.gross, currency)
  const name = (bucket: Bucket | undefined) =>
    bucket ? bucketName(bucket, interval, site.timeZone, weekdayOf(bucket.date)) : ''
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
          rows={buckets.map((b) => [name(b), plural(b.orders, 'order'), formatMoney(b.gross, currency)]).reverse()}
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
            {formatMoney(buckets[index]?.gross ?? 0, currency)}
            <span className="faint block">{plural(buckets[index]?.orders ?? 0, 'order')}</span>
          </>
        )}
        describe={(index) => `${name(buckets[index])}: ${formatMoney(buckets[index]?.gross ?? 0, currency)}`}
      />
    </Card>
  )
}

/** Days of one currency, or their weeks, named by their Monday as the events chart names them. */
export function bucketsOf(days: readonly DayFigures[], currency: string, interval: 'day' | 'week'): Bucket[] {
  const buckets = new Map<string, Bucket>()
  for (const day of days) {
    const date = interval === 'day' ? day.date : mondayOf(day.date)
    const bucket = buckets.get(date) ?? { at: `${date}T12:00:00Z`, date, gross: 0, orders: 0 }
    bucket.gross += grossOf(day.money, currency)
    bucket.orders += day.money.find((sum) => sum.currency === currency)?.orders ?? 0
    buckets.set(date, bucket)
  }
  return [...buckets.values()]
}

function mondayOf(day: string): string {
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay()
  return addDays(day, -((weekday + 6) % 7))
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
