import type { SystemOverview } from '../../trpc/schema/system.ts'

/** If accepted events wait longer than this, figures are considered out of date. */
export const BEHIND_MS = 60_000

/** Problems that need attention, as short texts; empty if there are none. */
export function troublesOf({
  balance,
  deadLetters,
  troubles: ofStoring,
  log,
  store,
  exports,
  backups,
}: SystemOverview): string[] {
  const troubles: (string | false)[] = [
    balance.imbalance !== 0 && 'events not accounted for',
    balance.lost > 0 && 'lost events',
    !store.up && 'the query store',
    log.oldestMs > BEHIND_MS && 'events that wait',
    ofStoring.length > 0 && 'storing',
    balance.conflicts > 0 && 'ids of events that were used twice',
    deadLetters > 0 && 'dead letters',
    exports.state === 'late' && 'the daily export',
    backups.state === 'late' && 'backups',
  ]
  return troubles.filter((trouble) => trouble !== false)
}
