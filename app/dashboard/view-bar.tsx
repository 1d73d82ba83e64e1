import { Form, Link, useLocation } from '@remix-run/react'
import type { ComparedPeriod } from '../../trpc/schema/stats.ts'
import { formatRange, formatShortRange } from '../format/time.ts'
import { Menu } from '../frame/menu.tsx'
import { Icon } from '../parts/icon.tsx'
import { SiteMark } from '../parts/site-mark.tsx'
import { comparedShortName } from '../range/compared.ts'
import type { Compare, View } from '../range/range.ts'
import { compares, presetNames, presets, shiftedDays, withParams } from '../range/range.ts'
import type { Drawing } from './drawing.ts'
import { type Trust, trusts } from './trust.ts'

/** Shop, period, comparison, which orders count, time zone. Links and a GET form: it works without JavaScript. */
export function ViewBar({ view, overview, today }: { view: View; overview: Drawing; today: string }) {
  const { site, range } = overview
  return (
    <section className="view-bar" aria-label="View settings">
      <div className="width">
        <span className="inline-flex items-center gap-2 font-medium max-sm:hidden">
          <SiteMark name={site.name} />
          {site.name}
        </span>
        <span className="rule max-sm:hidden" />
        <RangePicker view={view} from={range.from} to={range.to} today={today} />
        <ComparePicker view={view} period={overview.previous} words={{ today, zone: site.timeZone }} />
        <TrustPicker overview={overview} />
        <ShiftLinks from={range.from} to={range.to} today={today} />
        <span className="ml-auto text-xs whitespace-nowrap text-text-3 max-lg:hidden">{site.timeZone}</span>
      </div>
    </section>
  )
}

/** The period for narrow screens, without the year if it is the current one. */
function shortRange(from: string, to: string, today: string): string {
  return to.slice(0, 4) === today.slice(0, 4) ? formatShortRange(from, to) : formatRange(from, to)
}

function RangePicker({ view, from, to, today }: { view: View; from: string; to: string; today: string }) {
  const { search } = useLocation()
  const kept = new URLSearchParams(search)
  return (
    <Menu className="range-menu">
      <summary className="pick" aria-label={`Period: ${formatRange(from, to)}`}>
        <Icon name="calendar" />
        <span className="max-sm:hidden">{formatRange(from, to)}</span>
        <span className="sm:hidden">{shortRange(from, to, today)}</span>
        <Icon name="down" />
      </summary>
      <div className="pop left">
        <nav aria-label="Period" className="grid grid-cols-2">
          {presetNames.map((name) => (
            <Link
              key={name}
              className="item"
              to={withParams(search, { range: name, from: null, to: null, interval: null })}
              aria-current={view.preset === name ? 'true' : undefined}
              preventScrollReset
            >
              {presets[name].label}
            </Link>
          ))}
        </nav>
        <hr />
        <Form method="get" action="/dashboard" className="grid grid-cols-2 gap-2 p-2.5" key={from + to}>
          {[...kept].map(([name, value]) =>
            ['range', 'from', 'to', 'interval'].includes(name) ? null : (
              <input key={name} type="hidden" name={name} value={value} />
            ),
          )}
          <label className="grid min-w-0 gap-1 text-xs text-text-2">
            From
            <input className="input small min-w-0" type="date" name="from" defaultValue={from} max={today} required />
          </label>
          <label className="grid min-w-0 gap-1 text-xs text-text-2">
            To
            <input className="input small min-w-0" type="date" name="to" defaultValue={to} required />
          </label>
          <button type="submit" className="btn col-span-2">
            Show these days
          </button>
        </Form>
      </div>
    </Menu>
  )
}

function ComparePicker({
  view,
  period,
  words,
}: {
  view: View
  period: ComparedPeriod | undefined
  words: { today: string; zone: string }
}) {
  const { search } = useLocation()
  const other: Compare = view.compare === 'none' ? 'previous' : 'none'
  return (
    <Menu className="compare-menu">
      <summary className={`pick${period ? ' on' : ''}`}>
        <Icon name="compare" />
        <span className="max-sm:hidden">{period ? `vs ${comparedShortName({ period, ...words })}` : 'Compare'}</span>
        <span className="sm:hidden">Compare</span>
        <Icon name="down" />
      </summary>
      <nav className="pop left" aria-label="Compare with">
        {view.preset === 'all' && (
          <p className="max-w-56 px-2.5 py-2 text-xs text-text-3">
            All time has nothing before it. Choose a shorter period to compare.
          </p>
        )}
        {(Object.keys(compares) as Compare[]).map((name) => (
          <Link
            key={name}
            className="item"
            to={withParams(search, { compare: name, ...(view.preset === 'all' && { range: null }) })}
            aria-current={view.compare === name ? 'true' : undefined}
            data-key={name === other ? 'c' : undefined}
            preventScrollReset
          >
            {compares[name]}
          </Link>
        ))}
      </nav>
    </Menu>
  )
}

/** Chooses between all and verified orders. Renders nothing if browsers claim no orders. */
function TrustPicker({ overview: { trust, money } }: { overview: Drawing }) {
  const { search } = useLocation()
  if (trust === 'all' && !money.some(({ claimed }) => claimed.orders > 0)) return null
  return (
    <Menu className="trust-menu">
      <summary className={`pick${trust === 'all' ? '' : ' on'}`}>
        {trusts[trust]}
        <Icon name="down" />
      </summary>
      <nav className="pop left" aria-label="Orders that count">
        {(Object.keys(trusts) as Trust[]).map((name) => (
          <Link
            key={name}
            className="item"
            to={withParams(search, { trust: name === 'all' ? null : name })}
            aria-current={trust === name ? 'true' : undefined}
            preventScrollReset
          >
            {trusts[name]}
          </Link>
        ))}
        <p className="max-w-64 px-2.5 py-2 text-xs text-text-3">
          Verified orders are stated with a server's key. Others only browsers claim, whose key everybody can read.
        </p>
      </nav>
    </Menu>
  )
}

function ShiftLinks({ from, to, today }: { from: string; to: string; today: string }) {
  const { search } = useLocation()
  const step = (by: -1 | 1) => {
    const days = shiftedDays(from, to, by, today)
    return days && withParams(search, { range: null, ...days })
  }
  const back = step(-1)
  const forward = step(1)
  return (
    <span className="inline-flex gap-1 max-sm:hidden">
      {back && (
        <Link className="pick px-2!" to={back} data-key="[" aria-label="Period before" title="Period before ( [ )">
          <Icon name="left" />
        </Link>
      )}
      {forward && (
        <Link className="pick px-2!" to={forward} data-key="]" aria-label="Period after" title="Period after ( ] )">
          <Icon name="right" />
        </Link>
      )}
    </span>
  )
}
