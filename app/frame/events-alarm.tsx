import { Link } from '@remix-run/react'
import { plural } from '../format/number.ts'
import { Icon } from '../parts/icon.tsx'
import { useFrame } from './site.ts'

/** A warning in the footer of every page, shown only if events are lost, unaccounted for or not being stored. */
export function EventsAlarm() {
  const { balance, deadLetters, troubles } = useFrame().system
  const problems: string[] = []
  if (balance.imbalance !== 0) problems.push(`${plural(Math.abs(balance.imbalance), 'event')} not accounted for`)
  if (balance.lost > 0) problems.push(`${plural(balance.lost, 'event')} lost to a damaged disk`)
  if (deadLetters > 0) problems.push(`${plural(deadLetters, 'dead letter')} to look at`)
  if (troubles.length > 0) problems.push('storing is in trouble')
  if (problems.length === 0) return null
  return (
    <span>
      {/* Screen readers announce only that there is a problem: the counts change every second. */}
      <span className="sr-only" role="status">
        Events need to be looked at
      </span>
      <Link to="/system" className="inline-flex min-h-6 items-center gap-1.5 font-semibold text-bad">
        <Icon name="warning" />
        {problems.join(', ')}
      </Link>
    </span>
  )
}
