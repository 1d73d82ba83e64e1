import type { ReactNode } from 'react'
import type { SystemOverview } from '../../trpc/schema/system.ts'
import { formatBytes, formatCount, formatDecimal, plural, unknown } from '../format/number.ts'
import { formatTime } from '../format/time.ts'
import { formatWait } from './wait.ts'

/** Five figures that show whether events are received and stored. */
export function SystemKpis({ overview, zone }: { overview: SystemOverview; zone: string }) {
  const { acceptedPerSecond, peak, log, deadLetters, questions } = overview
  return (
    <dl className="kpis five">
      <Kpi label="Ingest rate" value={formatRate(acceptedPerSecond)} unit="events/s">
        {peak ? `peak ${formatRate(peak.perSecond)} at ${formatTime(peak.at, zone)}` : 'none in the last hour'}
      </Kpi>
      <Kpi label="Waiting" value={formatCount(log.waiting)} unit={log.waiting === 1 ? 'event' : 'events'}>
        {log.waiting === 0 ? 'all are stored' : `oldest ${formatWait(log.oldestMs)}`}
      </Kpi>
      <Kpi label="Log size" {...bytesOf(log.bytes)}>
        of {formatBytes(log.limitBytes)}
      </Kpi>
      <Kpi label="Dead letters" value={formatCount(deadLetters)}>
        {deadLetters === 0 ? 'none' : <b className="down">to look at</b>}
      </Kpi>
      <Kpi
        label="Query time, p95"
        value={questions.p95Ms === null ? unknown : formatMs(questions.p95Ms)}
        unit={questions.p95Ms === null ? undefined : 'ms'}
      >
        last hour, {plural(questions.count, 'query', 'queries')}
      </Kpi>
    </dl>
  )
}

function Kpi({
  label,
  value,
  unit,
  children,
}: {
  label: string
  value: string
  unit?: string | undefined
  children: ReactNode
}) {
  return (
    <div className="kpi">
      <dt>{label}</dt>
      <dd className="v">
        {value}
        {unit && <span className="unit"> {unit}</span>}
      </dd>
      <dd className="d">{children}</dd>
    </div>
  )
}

function bytesOf(bytes: number): { value: string; unit: string } {
  const [value = '', unit = ''] = formatBytes(bytes).split(' ')
  return { value, unit }
}

/** Events per second: "0", "< 0.1", "9.4", "1,204". */
export function formatRate(perSecond: number): string {
  if (perSecond === 0 || perSecond >= 100) return formatCount(Math.round(perSecond))
  return perSecond < 0.1 ? '< 0.1' : formatDecimal(perSecond)
}

export function formatMs(ms: number): string {
  return ms < 10 ? formatDecimal(ms) : formatCount(Math.round(ms))
}
