import { isSameClock } from '../analysis/zones.ts'
import type { Config } from '../config.ts'
import { AppError } from '../errors.ts'
import { assertMoved } from '../store/move/mark.ts'
import type { Store } from '../store/store.ts'

/** The one site there is until keys tell several apart. */
export const defaultSiteId = 'default'

/** The default site as the settings want it; a zone that would change counted days stops the start. */
export async function prepareSite(store: Store, { site, demo }: Config): Promise<void> {
  await assertMoved(store)
  const existing = await store.site(defaultSiteId)
  const wanted = {
    id: defaultSiteId,
    name: site.name ?? existing?.name ?? (demo ? 'Nordlicht Outdoor' : 'My shop'),
    timeZone: zoneOf(site.timeZone, existing?.timeZone) ?? (demo ? 'Europe/Berlin' : 'UTC'),
    currency: site.currency ?? existing?.currency ?? 'EUR',
  }
  if (existing?.timeZone === wanted.timeZone && existing.name === wanted.name && existing.currency === wanted.currency)
    return
  try {
    await store.saveSite(wanted)
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'conflict')) throw error
    throw new AppError(
      'conflict',
      `SITE_TIME_ZONE ${wanted.timeZone}: the days of this store are counted in ${existing?.timeZone}, which cannot change any more.`,
      { cause: error },
    )
  }
}

/** Another name of the zone that the store has, such as Asia/Calcutta for Asia/Kolkata, changes nothing. */
function zoneOf(wanted: string | undefined, stored: string | undefined): string | undefined {
  return wanted !== undefined && stored !== undefined && isSameClock(wanted, stored) ? stored : (wanted ?? stored)
}
