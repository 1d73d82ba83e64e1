import { type Away, awayOf, Unanswered } from './away.ts'

const FIRST_WAIT_MS = 1000
const MAX_WAIT_MS = 15_000

/** Pause before the next attempt after `failures` failures in a row, in ms. */
export function waitAfter(failures: number): number {
  return Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 10))
}

/**
 * Runs a background load, retrying with growing pauses until it succeeds. `onAway` is told why an attempt failed, and
 * null on success. Rejects with an error that a retry does not change, or when the signal aborts.
 */
export async function load<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  { signal, onAway }: { signal: AbortSignal; onAway: (away: Away | null) => void },
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      const answer = await attempt(signal)
      signal.throwIfAborted()
      onAway(null)
      return answer
    } catch (error) {
      signal.throwIfAborted()
      const away = awayOf(error)
      if (away === null) throw error
      onAway(away)
    }
    await rest(waitAfter(failures), signal)
    signal.throwIfAborted()
  }
}

/** Fetches JSON from this server. Throws Unanswered for a status outside 200-299. */
export async function askJson<T>(address: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(address, { headers: { accept: 'application/json' }, signal })
  if (!response.ok) throw new Unanswered(response.status, `${address} answered ${response.status}.`)
  // Throws a SyntaxError if a proxy answered 200 with an HTML page of its own.
  return (await response.json()) as T
}

/** Waits until the time is over, the browser is back online, or the signal aborts. */
function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      window.removeEventListener('online', end)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    window.addEventListener('online', end)
    signal.addEventListener('abort', end)
  })
}
