import type { SystemOverview } from '../../trpc/schema/system.ts'
import { formatDuration, formatSeconds } from '../format/time.ts'
import type { Away } from '../freshness/away.ts'
import { Icon } from '../parts/icon.tsx'
import { troublesOf } from './troubles.ts'

/** Whether events are accepted, what needs attention, and when this was checked. */
export function CheckLine({ overview, away, zone }: { overview: SystemOverview; away: Away | null; zone: string }) {
  const troubles = troublesOf(overview)
  const { accepting } = overview.log
  const tone = away ? ' off' : !accepting ? ' bad' : troubles.length > 0 ? ' warn' : ''
  return (
    <span>
      <i className={`dot${tone} mr-1.5 inline-block`} aria-hidden="true" />
      {/* The time of the check changes every few seconds and is not announced by screen readers. */}
      <span role="status">
        {accepting ? 'Collecting works.' : 'Events are refused at the moment.'}
        {troubles.length > 0 ? ` Look at: ${troubles.join(', ')}` : ' Nothing to look at'}
        {away && ` · ${awayWords[away]}, retrying`}
      </span>
      {!away && ` · checked ${formatSeconds(overview.checkedAt, zone)}`}
    </span>
  )
}

const awayWords: Record<Away, string> = {
  server: 'connection lost',
  store: 'the database does not answer',
  page: 'the figures cannot be loaded',
}

const awayReasons: Record<Away, string> = {
  server: 'The server does not answer this page. It tries again by itself; what was accepted is in the log.',
  store: 'The database of this server does not answer. Events are still taken and wait in its log: none is lost.',
  page: 'Something failed on the server, and it was logged. This page tries again by itself; no event was lost by it.',
}

/** A banner above figures that cannot be refreshed at the moment. */
export function AwayBanner({ checkedAt, away, zone }: { checkedAt: string; away: Away | null; zone: string }) {
  if (away === null) return null
  const age = formatDuration(Math.max(1000, Date.now() - Date.parse(checkedAt)), 1)
  return (
    <div className="banner warn">
      <Icon name="warning" />
      <div>
        <strong>
          These figures are from {formatSeconds(checkedAt, zone)}, {age} ago.
        </strong>
        <p role="status">{awayReasons[away]}</p>
      </div>
    </div>
  )
}
