import { formatDecimal } from '../format/number.ts'
import { formatDuration } from '../format/time.ts'

/** "0.3 s", "42 s", "4 min 12 s" */
export function formatWait(ms: number): string {
  return ms < 10_000 ? `${formatDecimal(ms / 1000)} s` : formatDuration(ms)
}
