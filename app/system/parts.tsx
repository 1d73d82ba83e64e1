import type { CopyStatus, SystemOverview } from '../../trpc/schema/system.ts'
import { formatBytes, unknown } from '../format/number.ts'
import { formatDuration, formatMoment } from '../format/time.ts'
import { Card } from '../parts/card.tsx'
import { formatMs, formatRate } from './kpis.tsx'
import { BEHIND_MS } from './troubles.ts'
import { formatWait } from './wait.ts'

type Tone = '' | ' warn' | ' bad' | ' off'

interface Part {
  name: string
  tone: Tone
  state: string
  figure: string
}

const engines = { sqlite: 'SQLite', mongo: 'MongoDB' } as const
const promises = { fsync: 'survives a power cut', write: 'survives a kill', memory: 'survives neither' } as const

/** A table of the server's parts: state and one figure each. */
export function Parts({ overview, zone, className }: { overview: SystemOverview; zone: string; className: string }) {
  const { exports, backups, ackLevel, writer } = overview
  const problems = [exports, backups].flatMap(({ lastError }) => lastError ?? [])
  return (
    <Card
      title="Parts"
      className={className}
      flush
      footer={
        <footer>
          <span>
            {writer.p95Ms !== null && `A batch takes ${formatMs(writer.p95Ms)} ms (p95). `}
            An answer of 202 {promises[ackLevel]}.
          </span>
        </footer>
      }
    >
      <table className="table parts">
        <thead className="sr-only">
          <tr>
            <th scope="col">Part</th>
            <th scope="col">State</th>
            <th scope="col">Figure</th>
          </tr>
        </thead>
        <tbody>
          {partsOf(overview).map(({ name, tone, state, figure }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <i className={`dot${tone} inline-block`} aria-hidden="true" /> {state}
              </td>
              <td className="num">{figure}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {problems.map((problem) => (
        <p key={problem} className="note px-5 pt-2 [overflow-wrap:anywhere] max-sm:px-4">
          {problem}
        </p>
      ))}
      {exports.lastSuccessAt && (
        <p className="note px-5 py-2 max-sm:px-4">Last export: {formatMoment(exports.lastSuccessAt, zone)}</p>
      )}
    </Card>
  )
}

function partsOf({ log, store, exports, backups, acceptedPerSecond, checkedAt }: SystemOverview): Part[] {
  const isBehind = log.waiting > 0 && log.oldestMs > BEHIND_MS
  return [
    {
      name: 'Collector',
      tone: log.accepting ? '' : ' bad',
      state: log.accepting ? 'Works' : 'Refuses events',
      figure: `${formatRate(acceptedPerSecond)}/s`,
    },
    {
      name: 'Event log',
      tone: log.bytes > 0.8 * log.limitBytes ? ' warn' : '',
      state: log.bytes > 0.8 * log.limitBytes ? 'Nearly full' : 'Works',
      figure: formatBytes(log.bytes),
    },
    {
      name: 'Writer',
      tone: isBehind ? ' warn' : '',
      state: isBehind ? 'Behind' : 'Works',
      figure: log.waiting === 0 ? 'nothing waits' : `${formatWait(log.oldestMs)} behind`,
    },
    {
      name: 'Query store',
      tone: store.up ? '' : ' bad',
      state: store.up ? 'Works' : 'Does not answer',
      figure: engines[store.engine],
    },
    copyPart('Daily export', exports, checkedAt),
    copyPart('Backup', backups, checkedAt),
  ]
}

function copyPart(name: string, { state, lastSuccessAt, failures }: CopyStatus, now: string): Part {
  const ago = lastSuccessAt && `${formatDuration(Date.parse(now) - Date.parse(lastSuccessAt), 1)} ago`
  if (state === 'off') return { name, tone: ' off', state: 'Not set up', figure: unknown }
  const isLate = state === 'late'
  return {
    name,
    tone: isLate || failures > 0 ? ' warn' : '',
    state: isLate ? (lastSuccessAt ? 'Late' : 'None yet') : failures > 0 ? 'Failed, tries again' : 'Works',
    figure: ago ?? unknown,
  }
}
