import { isZone, offsetAt } from './zones.ts'

export interface ListedZone {
  name: string
  /** Minutes by which it is ahead of UTC. */
  ahead: number
}

/** No zone changes its clock within a quarter of an hour. */
const KEPT_MS = 900_000

const names = ['UTC', ...Intl.supportedValuesOf('timeZone')].filter(
  (name, index, all) => isZone(name) && all.indexOf(name) === index,
)
let listed: { quarter: number; zones: readonly ListedZone[] } | undefined

/** The zones that a shop may choose, by their names. Anybody may ask, so it is worked out once a quarter of an hour. */
export function listZones(now: number): readonly ListedZone[] {
  const quarter = Math.floor(now / KEPT_MS)
  if (listed?.quarter !== quarter)
    listed = { quarter, zones: names.map((name) => ({ name, ahead: Math.round(offsetAt(name, now) / 60_000) })) }
  return listed.zones
}
