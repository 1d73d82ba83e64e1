const MAX_MS = 10_000

/** Wait before try number `tries` + 1, in ms: doubling, capped, with half of it random so that retries spread out. */
export function backoffMs(tries: number, firstMs: number, random: () => number = Math.random): number {
  const full = Math.min(MAX_MS, firstMs * 2 ** Math.min(tries - 1, 20))
  return full / 2 + (random() * full) / 2
}
