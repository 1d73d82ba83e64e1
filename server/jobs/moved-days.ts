import type { DayAudit, UsersAudit } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

/** Rules of time zones decide on which day each of these counts, never how many there are. */
const ONLY_MOVED = new Set(['events', 'sessions', 'orderingSessions', 'orders'])

export interface MovedDays {
  /** A day that was counted again; each is the one after that before it. */
  day(day: string, audit: DayAudit): void
  users(audit: UsersAudit): void
  /** After the last day. */
  end(): void
}

/**
 * Tells figures that were wrong from those that were of other days. Rules move figures from a day to the one beside it, and
 * a day that loses as many as it gains shows nothing: over all days it comes out even. Where it does not a figure was
 * wrong, which somebody has to know of, as of what the nightly audit finds. `isWhole` false: some of the days were put
 * right before, so what is left of them proves nothing.
 */
export function createMovedDays(
  siteId: string,
  isWhole: boolean,
  { log, counters }: { log: Pick<Telemetry['log'], 'info' | 'warn' | 'error'>; counters: { auditMismatches: number } },
): MovedDays {
  /** Since it last came out even. */
  let days: string[] = []
  let differences: (DayAudit['differences'][number] & { day: string })[] = []
  const tooMany = new Map<string, number>()
  let isKnown = isWhole

  const isEven = () => [...tooMany.values()].every((sum) => sum === 0)

  return {
    day(day, { verdict, differences: found }) {
      if (isEven()) {
        days = []
        differences = []
      }
      if (verdict === 'equal') return
      if (verdict !== 'mended') {
        // It may have what others lack.
        isKnown = false
        return
      }
      log.info({ site: siteId, day, differences: found.slice(0, 20) }, 'a day is counted again')
      days.push(day)
      for (const difference of found) {
        const { figure, stored, counted } = difference
        differences.push({ day, ...difference })
        if (ONLY_MOVED.has(figure)) tooMany.set(figure, (tooMany.get(figure) ?? 0) + stored - counted)
      }
    },

    users(audit) {
      const wrong = audit.differences.filter(({ figure }) => !figure.startsWith('active on '))
      if (wrong.length === 0) return
      counters.auditMismatches += new Set(wrong.map(({ userId }) => userId)).size
      // The log has no ids of users.
      const told = wrong.slice(0, 20).map(({ userId: _, ...each }) => each)
      log.error(
        { site: siteId, verdict: audit.verdict, differences: told },
        'figures of users differed from their events',
      )
    },

    end() {
      if (isEven()) return
      const about = { site: siteId, days, differences: differences.slice(0, 20) }
      if (!isKnown) {
        log.warn(about, 'figures were put right; whether all were of other rules cannot be told')
        return
      }
      counters.auditMismatches += 1
      log.error(about, 'figures differed from their events by more than rules of time zones move, and were put right')
    },
  }
}
