import type { Freshness } from '../../trpc/schema/common.ts'
import { formatCount, plural } from '../format/number.ts'
import { dayIn, formatDuration, formatMoment, formatSeconds, formatTime } from '../format/time.ts'
import { Icon } from '../parts/icon.tsx'
import { type Away, awayLines } from './away.ts'

/** Figures that lag behind the accepted events by more than this are stale. */
const STALE_MS = 60_000
/** Shorter waits are normal processing; showing them would make the line flicker under a steady stream of events. */
const WAITING_MS = 2000

/** How far behind the figures are, in milliseconds; null while they are not stale. */
function staleBy(freshness: Freshness, now: string): number | null {
  const behindMs = Date.parse(now) - Date.parse(freshness.completeTo)
  return freshness.waiting > 0 && behindMs > STALE_MS ? behindMs : null
}

/** The line below a page's title: up to what time the figures are complete. */
export function FreshnessLine({
  freshness,
  now,
  zone,
  lastEventAt,
  away = null,
}: {
  freshness: Freshness
  now: string
  zone: string
  lastEventAt?: string | null
  /** What the page cannot reach now; null if nothing. */
  away?: Away | null
}) {
  const behindMs = staleBy(freshness, now)
  const isCounting = freshness.waiting > 0 && Date.parse(now) - Date.parse(freshness.completeTo) > WAITING_MS
  const last = lastEventAt ? ` · last event ${momentIn(lastEventAt, now, zone)}` : ''
  return (
    <span className="inline-flex items-center gap-1.5">
      <i className={`dot${away ? ' off' : behindMs !== null ? ' warn' : ''}`} aria-hidden="true" />
      {/* Screen readers announce only what changes rarely: announcing times and counts would never stop. */}
      <span>
        {!away && behindMs !== null && `${formatDuration(behindMs, 1)} `}
        <span role="status">
          {away
            ? `${awayLines[away]} · figures of ${formatSeconds(now, zone)}`
            : behindMs !== null
              ? 'behind'
              : isCounting
                ? 'Counting'
                : 'Up to date'}
        </span>
        {!away && behindMs === null && isCounting && ` ${plural(freshness.waiting, 'event')}`}
        {!away && last}
      </span>
    </span>
  )
}

function momentIn(iso: string, now: string, zone: string): string {
  return dayIn(iso, zone) === dayIn(now, zone) ? formatSeconds(iso, zone) : formatMoment(iso, zone)
}

/** A banner above the page while its figures are stale. The figures stay visible. */
export function StaleBanner({ freshness, now, zone }: { freshness: Freshness; now: string; zone: string }) {
  const behindMs = staleBy(freshness, now)
  if (behindMs === null) return null
  return (
    <div className="banner warn">
      <Icon name="warning" />
      <div>
        <strong>
          Numbers stop at {formatTime(freshness.completeTo, zone)}, {formatDuration(behindMs, 1)} ago.
        </strong>
        <p>
          {formatCount(freshness.waiting)} {freshness.waiting === 1 ? 'event is' : 'events are'} waiting to be counted
          and none are lost. This page catches up by itself.
        </p>
      </div>
    </div>
  )
}
