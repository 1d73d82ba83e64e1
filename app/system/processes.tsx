import type { ProcessStatus, SystemOverview } from '../../trpc/schema/system.ts'
import { formatBytes, formatCount, formatShare, plural } from '../format/number.ts'
import { formatDuration } from '../format/time.ts'
import { Card } from '../parts/card.tsx'
import { formatRate } from './kpis.tsx'

const roles = { all: 'Events and pages', ingest: 'Events', web: 'Pages' } as const

/** A table of all processes that use this server's data folder. */
export function Processes({ overview }: { overview: SystemOverview }) {
  const { processes, checkedAt } = overview
  const versions = new Set(processes.map(({ version }) => version))
  return (
    <Card
      title="Processes"
      note={
        versions.size > 1
          ? `${versions.size} versions run side by side: a release is under way.`
          : `${plural(processes.length, 'process', 'processes')} of version ${[...versions][0]}`
      }
      flush
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard. */}
      <section className="rows" tabIndex={0} aria-label="Processes, one a row">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Process</th>
              <th scope="col" className="max-sm:hidden">
                Takes
              </th>
              <th scope="col" className="max-lg:hidden">
                Version
              </th>
              <th scope="col" className="num max-sm:hidden">
                Runs for
              </th>
              <th scope="col" className="num">
                Events/s
              </th>
              <th scope="col" className="num max-lg:hidden">
                Waiting
              </th>
              <th scope="col" className="num">
                Memory
              </th>
              <th scope="col" className="num">
                Busy
              </th>
            </tr>
          </thead>
          <tbody>
            {processes.map((process) => (
              <Row key={`${process.host} ${process.pid}`} process={process} now={checkedAt} />
            ))}
          </tbody>
        </table>
      </section>
    </Card>
  )
}

function Row({ process, now }: { process: ProcessStatus; now: string }) {
  const { host, pid, role, version, startedAt, acceptedPerSecond, waiting, memoryBytes, busy } = process
  return (
    <tr>
      <th scope="row">
        {pid} <span className="font-normal text-text-2">on {host}</span>
      </th>
      <td className="max-sm:hidden">{roles[role]}</td>
      <td className="max-lg:hidden">{version}</td>
      <td className="num max-sm:hidden">{formatDuration(Date.parse(now) - Date.parse(startedAt), 1)}</td>
      <td className="num">{formatRate(acceptedPerSecond)}</td>
      <td className="num max-lg:hidden">{formatCount(waiting)}</td>
      <td className="num">{formatBytes(memoryBytes)}</td>
      <td className="num">{formatShare(Math.min(1, busy), 0)}</td>
    </tr>
  )
}
