import type { Overview } from '../../trpc/schema/stats.ts'
import { changeOf, formatCount, formatShare, plural } from '../format/number.ts'
import { formatRange } from '../format/time.ts'
import { AsTable } from '../parts/as-table.tsx'
import { Card } from '../parts/card.tsx'
import { Rows } from '../parts/rows.tsx'
import type { Drawing } from './drawing.ts'
import { ChangeMark } from './kpis.tsx'

const MAX_BARS = 8

/** If there are more than eight event types: the first seven, and the rest added up as "other". */
export function topTypes(types: Overview['eventsByType']): { type: string; count: number }[] {
  if (types.length <= MAX_BARS) return types
  const rest = types.slice(MAX_BARS - 1)
  const other = { type: `other (${rest.length} types)`, count: rest.reduce((sum, { count }) => sum + count, 0) }
  return [...types.slice(0, MAX_BARS - 1), other]
}

export function TypeBars({ overview, className }: { overview: Drawing; className: string }) {
  const { eventsByType, totalEvents, range } = overview
  const top = topTypes(eventsByType)
  const max = Math.max(1, ...top.map(({ count }) => count))
  const first = eventsByType[0]
  const share = (count: number) => formatShare(totalEvents === 0 ? null : count / totalEvents)
  return (
    <Card
      title="Events by Type"
      className={className}
      footer={
        <AsTable
          title="Events by Type"
          columns={[{ name: 'Event type' }, { name: 'Events', number: true }, { name: 'Share', number: true }]}
          rows={eventsByType.map(({ type, count }) => [type, formatCount(count), share(count)])}
        />
      }
    >
      <p className="sr-only">
        {`Events by type, ${formatRange(range.from, range.to)}. ${plural(eventsByType.length, 'type')}`}
        {first && `, most of them ${first.type} with ${share(first.count)}`}.
      </p>
      <ul className="h-bars">
        {top.map(({ type, count }) => (
          <li key={type}>
            <span className="truncate">{type}</span>
            <span className="v">
              {formatCount(count)}
              <span>{share(count)}</span>
            </span>
            <span className="bar" aria-hidden="true">
              <i style={{ width: `${(count / max) * 100}%` }} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  )
}

export function TypeTable({
  overview,
  icons,
  className,
}: {
  overview: Drawing
  icons: Record<string, string>
  className: string
}) {
  const { eventsByType, totalEvents, previous } = overview
  const max = Math.max(1, ...eventsByType.map(({ count }) => count))
  return (
    <Card
      title="Most Common Event Types"
      className={className}
      flush
      footer={
        <footer>
          <span>{plural(eventsByType.length, 'type')}</span>
        </footer>
      }
    >
      <Rows name="Event types and their counts">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Event type</th>
              <th scope="col" className="num">
                Events
              </th>
              <th scope="col" className="num not-tiny">
                Share
              </th>
              {previous && (
                <th scope="col" className="num">
                  Change
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {eventsByType.map(({ type, count, previous: before }) => (
              <tr key={type}>
                <th scope="row">
                  <span className="inline-flex items-center gap-2">
                    <span aria-hidden="true">{icons[type]}</span>
                    {type}
                  </span>
                </th>
                <td className="num">{formatCount(count)}</td>
                <td className="num not-tiny">
                  {formatShare(totalEvents === 0 ? null : count / totalEvents)}
                  <span className="inline-bar wide-only" aria-hidden="true">
                    <i style={{ width: `${(count / max) * 100}%` }} />
                  </span>
                </td>
                {previous && (
                  <td className="num">
                    <ChangeMark change={changeOf(count, before ?? null)} />
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </Rows>
    </Card>
  )
}
