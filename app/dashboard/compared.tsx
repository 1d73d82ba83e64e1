import { Icon } from '../parts/icon.tsx'
import { comparedHow, comparedName, missingSentence } from '../range/compared.ts'
import type { Drawing } from './drawing.ts'

/** Names the period the figures are compared with, and how it relates to the period shown. */
export function ComparedLine({ overview, today }: { overview: Drawing; today: string }) {
  const { previous, site } = overview
  if (!previous) return null
  const how = comparedHow(previous)
  return (
    <span>
      {' '}
      · compared with {comparedName({ period: previous, today, zone: site.timeZone })}
      {how && ` (${how})`}
    </span>
  )
}

export function MissingComparison({ overview, today }: { overview: Drawing; today: string }) {
  const { previousMissing: missing, site } = overview
  if (!missing) return null
  return (
    <div className="banner" role="status">
      <Icon name="info" />
      <p>
        <strong>No comparison.</strong>{' '}
        {missingSentence({ period: missing, today, zone: site.timeZone }, missing.reason)}
      </p>
    </div>
  )
}
