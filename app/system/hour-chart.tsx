import type { SystemOverview } from '../../trpc/schema/system.ts'
import { LineChart } from '../charts/line-chart.tsx'
import { formatCompact, formatCount, plural } from '../format/number.ts'
import { formatTime } from '../format/time.ts'
import { AsTable } from '../parts/as-table.tsx'
import { Card } from '../parts/card.tsx'

/** Minutes between labels. */
const TICK = 15

/** Events accepted and stored per minute; the gap between the lines is what was waiting. */
export function HourChart({
  overview,
  zone,
  className,
}: {
  overview: SystemOverview
  zone: string
  className: string
}) {
  const { minutes } = overview
  const title = 'Accepted and stored, last hour'
  const time = (index: number) => (minutes[index] ? formatTime(minutes[index].at, zone) : '')
  const total = (of: 'accepted' | 'stored') => minutes.reduce((sum, minute) => sum + minute[of], 0)
  const said = (index: number) =>
    `${plural(minutes[index]?.accepted ?? 0, 'event')} accepted, ${formatCount(minutes[index]?.stored ?? 0)} stored`
  const last = minutes.at(-1)
  return (
    <Card
      title={title}
      note="Events per minute"
      className={className}
      footer={
        <AsTable
          title={title}
          columns={[{ name: 'Minute' }, { name: 'Accepted', number: true }, { name: 'Stored', number: true }]}
          rows={minutes
            .map((minute, index) => [time(index), formatCount(minute.accepted), formatCount(minute.stored)])
            .reverse()}
        />
      }
    >
      <div className="legend">
        <span>
          <i />
          Accepted
        </span>
        <span>
          <i className="before" />
          Stored
        </span>
      </div>
      <LineChart
        label={`${title}: ${plural(total('accepted'), 'event')} were accepted and ${formatCount(total('stored'))} stored. The numbers follow as a table.`}
        pointerLabel={`${title}, minute by minute`}
        values={minutes.map((minute) => minute.accepted)}
        count={minutes.length}
        before={minutes.map((minute) => minute.stored)}
        lastIsPartial={false}
        xTicks={minutes.flatMap((_, index) =>
          index % TICK === 0 || index === minutes.length - 1
            ? [{ index, label: time(index), optional: index % (2 * TICK) === TICK }]
            : [],
        )}
        formatTick={formatCompact}
        end={{ value: formatCount(last?.accepted ?? 0), name: 'accepted' }}
        endBefore={{ value: formatCount(last?.stored ?? 0), name: 'stored' }}
        tipLines={(index) => (
          <>
            <b>{time(index)}</b>
            {said(index)}
          </>
        )}
        describe={(index) => `${time(index)}: ${said(index)}.`}
      />
    </Card>
  )
}
