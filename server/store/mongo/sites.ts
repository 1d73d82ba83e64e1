import type { Site } from '../../../trpc/schema/common.ts'
import { isSameClock, isZone } from '../../analysis/zones.ts'
import { AppError } from '../../errors.ts'
import { isDuplicateKey } from './client.ts'
import type { Collections } from './collections.ts'
import type { SiteRow } from './rows.ts'

export async function site({ sites }: Collections, siteId: string): Promise<Site | null> {
  const row = await sites.findOne({ _id: siteId })
  return row ? toSite(row) : null
}

export async function allSites({ sites }: Collections): Promise<Site[]> {
  return (await sites.find({}).sort({ _id: 1 }).toArray()).map(toSite)
}

/** Several processes know a site's zone once they have stored an event of it: then it stays. */
export async function fixedZone({ sites }: Collections, siteId: string): Promise<string | null> {
  const row = await sites.findOne({ _id: siteId })
  return row?.isZoneFixed ? row.timeZone : null
}

export async function saveSite({ sites }: Collections, wanted: Site): Promise<Site> {
  const { id, name, timeZone, currency } = wanted
  if (!isZone(timeZone)) throw new AppError('invalid_input', `${timeZone} is not a time zone.`, { field: 'timeZone' })
  // One step: no batch can fix the zone between the look and the change. A site that the filter leaves out is there.
  const save = (fixed = timeZone) =>
    sites.updateOne(
      { _id: id, $or: [{ isZoneFixed: { $ne: true } }, { timeZone: { $in: [timeZone, fixed] } }] },
      { $set: { name, timeZone, currency } },
      { upsert: true },
    )
  try {
    await save()
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
    const stored = await sites.findOne({ _id: id })
    if (stored?.isZoneFixed && !isSameClock(stored.timeZone, timeZone))
      throw new AppError(
        'conflict',
        `The time zone cannot change any more: events are counted by the days of ${stored.timeZone}.`,
        { field: 'timeZone' },
      )
    // Two made the site at once, or it has another name of the same zone.
    await save(stored?.timeZone)
  }
  return { id, name, timeZone, currency }
}

/** The zones of those sites that are there; from now on they stay as they are. `known` are zones found before. */
export async function zonesOf(
  { sites }: Collections,
  known: Map<string, string>,
  siteIds: Iterable<string>,
): Promise<Map<string, string>> {
  for (const siteId of siteIds) {
    if (known.has(siteId)) continue
    const row = await sites.findOneAndUpdate(
      { _id: siteId },
      { $set: { isZoneFixed: true } },
      { returnDocument: 'after' },
    )
    if (row) known.set(siteId, row.timeZone)
  }
  return known
}

function toSite({ _id, name, timeZone, currency }: SiteRow): Site {
  return { id: _id, name, timeZone, currency }
}
