import type { SystemOverview } from '../../trpc/schema/system.ts'
import { formatDuration, formatSeconds } from '../format/time.ts'
import { Icon } from '../parts/icon.tsx'
import { troublesOf } from './troubles.ts'

/** Whether events are taken, what to look at, and when that was so. */
export function CheckLine({ overview, lost, zone }: { overview: SystemOverview; lost: boolean; zone: string }) {
  const troubles = troublesOf(overview)
  const { accepting } = overview.log
  const tone = lost ? ' off' : !accepting ? ' bad' : troubles.length > 0 ? ' warn' : ''
  return (
    <span role="status">
      <i className={`dot${tone} mr-1.5 inline-block`} aria-hidden="true" />
      {accepting ? 'Collecting works.' : 'Events are refused at the moment.'}
      {troubles.length > 0 ? ` Look at: ${troubles.join(', ')}` : ' Nothing to look at'}
      {lost ? ' · connection lost, retrying' : ` · checked ${formatSeconds(overview.checkedAt, zone)}`}
    </span>
  )
}

/** Stands above figures that cannot be had anew. */
export function LostBanner({
  checkedAt,
  lostSince,
  zone,
}: {
  checkedAt: string
  lostSince: number | null
  zone: string
}) {
  if (lostSince === null) return null
  const age = formatDuration(Math.max(1000, Date.now() - lostSince), 1)
  return (
    <div className="banner warn" role="status">
      <Icon name="warning" />
      <div>
        <strong>
          These figures are from {formatSeconds(checkedAt, zone)}, {age} ago.
        </strong>
        <p>The server does not answer this page. It tries again by itself; what was accepted is in the log.</p>
      </div>
    </div>
  )
}
