import type { SystemOverview } from '../../trpc/schema/system.ts'
import { formatCount, plural } from '../format/number.ts'
import { formatMoment } from '../format/time.ts'
import { Card } from '../parts/card.tsx'
import { Icon } from '../parts/icon.tsx'

/** Where all events answered with 202 are now. The heading says whether the numbers add up. */
export function BalanceCard({ overview, zone }: { overview: SystemOverview; zone: string }) {
  const { balance, since } = overview
  const { received, recovered, rejected, stored, duplicate, conflicts, deadLettered, waiting, lost, imbalance } =
    balance
  const places: [sign: string, name: string, events: number][] = [
    ['', 'Accepted', received + recovered - rejected],
    ['=', 'Stored', stored],
    ['+', 'Duplicates', duplicate],
    ['+', 'Dead letters', deadLettered],
    ['+', 'Waiting', waiting],
  ]
  if (lost > 0) places.push(['+', 'Lost to a damaged disk', lost])
  return (
    <Card
      title={imbalance === 0 ? 'The count balances' : 'The count does not balance'}
      note={`Every event that was answered with 202 since ${formatMoment(since, zone)} is in exactly one place.`}
      aside={<Missing events={imbalance} />}
      footer={
        <footer>
          <span>
            Since then {plural(rejected, 'event was', 'events were')} refused, each with its reason in the answer
            {conflicts > 0 &&
              `; of the duplicates ${plural(conflicts, 'event')} had the id of another event (npm run dead-letters -- conflicts)`}
            {recovered > 0 && `; ${formatCount(recovered)} were found in logs of processes that had ended`}.
          </span>
        </footer>
      }
    >
      <dl className="sum">
        {places.map(([sign, name, events]) => (
          <div key={name}>
            <dt>
              {sign && <span className="sign">{sign}</span>}
              {name}
            </dt>
            <dd>{formatCount(events)}</dd>
          </div>
        ))}
      </dl>
    </Card>
  )
}

function Missing({ events }: { events: number }) {
  return events === 0 ? (
    <span className="tag good">
      <Icon name="check" />0 missing
    </span>
  ) : (
    <span className="tag bad">
      <Icon name="warning" />
      {events > 0 ? `${formatCount(events)} missing` : `${formatCount(-events)} too many`}
    </span>
  )
}
