import { firstKeptMonth, monthOf, monthStart } from '../analysis/months.ts'

/** From which instant on events are kept: the store refuses older ones, and so the door must not accept them. */
export interface KeptSince {
  at(now: number): number
  close(): void
}

const EVERY_MS = 10_000

/**
 * What is kept by the setting (whole months, 0 for all), or less where somebody dropped more by hand: the store is asked
 * now and then, and what it said last holds while it is away.
 */
export async function createKeptSince({
  months,
  keptFrom,
  everyMs = EVERY_MS,
}: {
  months: number
  /** The first month that the store keeps (YYYYMM); null for every one. */
  keptFrom: () => Promise<number | null>
  everyMs?: number
}): Promise<KeptSince> {
  let first = monthOf(0)
  const look = () =>
    keptFrom().then(
      (month) => {
        first = Math.max(first, month ?? 0)
      },
      () => {},
    )
  await look()
  const timer = setInterval(look, everyMs)
  timer.unref()
  return {
    at: (now) => monthStart(Math.max(first, firstKeptMonth(now, months) ?? 0)),
    close: () => clearInterval(timer),
  }
}
