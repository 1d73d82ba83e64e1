import { type Away, awayOf, Unanswered } from './away.ts'

const FIRST_WAIT_MS = 1000
const MAX_WAIT_MS = 15_000

/** How long to wait after so many failures in a row. */
export function waitAfter(failures: number): number {
  return Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 10))
}

/**
 * Every load in the background goes through here: it is tried again, after ever longer waits, until it is answered, and
 * `onAway` hears what keeps it from that. Rejects with an answer that trying again does not change, and once the signal
 * says that nobody wants it any more.
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

/** JSON of an address of ours. Throws Unanswered with the status of any answer but 200. */
export async function askJson<T>(address: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(address, { headers: { accept: 'application/json' }, signal })
  if (!response.ok) throw new Unanswered(response.status, `${address} answered ${response.status}.`)
  // What stands before the server may answer 200 with a page of its own.
  return (await response.json()) as T
}

/** Until the time is over, the network is there again, or the signal says that nobody waits. */
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
