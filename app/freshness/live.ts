import { useLocation, useNavigation, useRevalidator } from '@remix-run/react'
import { useEffect, useRef, useState } from 'react'
import { createVeritasClient } from '../../trpc/client.ts'
import type { Freshness } from '../../trpc/schema/common.ts'
import type { Pulse } from '../../trpc/schema/stats.ts'
import { type Away, awayOf, isLoggedOut } from './away.ts'
import { missedNow, useKept, useMissed } from './kept.ts'
import { waitAfter } from './load.ts'

/** Minimum pause between two loads of a page's data; twice the last load's duration if that is longer. */
const REST_MS = 2000
const MAX_REST_MS = 10_000
/** Minimum interval between two requests for the pulse. */
const SHORTEST_MS = 1000
/** Reload at least this often: an unfinished day is compared up to the current time of day, which advances. */
const REDRAW_MS = 5 * 60_000

export interface Live {
  /** What cannot be reached; null if everything can. */
  away: Away | null
  /** Up to when the page's figures are complete, and the server's time when it said so. */
  freshness: Freshness
  now: string
}

/**
 * Keeps a page up to date while its tab is visible: long-polls the server for a change of the data's mark and then
 * reloads the page's data; with `everyMs` it reloads at that interval regardless. Never reloads during a navigation.
 * If a load fails, the page keeps its data (keepsLast) and the load is retried.
 */
export function useLive(
  routeId: string,
  page: { pulse: Pulse },
  { everyMs = null }: { everyMs?: number | null } = {},
): Live {
  const { pathname } = useLocation()
  const navigation = useNavigation()
  const revalidator = useRevalidator()
  const shown = page.pulse
  const missed = useMissed()
  // A new object after each failure causes a render, which updates the displayed age of the figures.
  const [unheard, setUnheard] = useState<{ away: Away | null }>({ away: null })
  const [seen, setSeen] = useState<Pulse>(shown)
  const isIdle = navigation.state === 'idle' && revalidator.state === 'idle'
  const latest = useRef({ shown, seen, isIdle, revalidator })
  latest.current = { shown, seen, isIdle, revalidator }
  useKept(routeId, pathname, page)
  // Duration of the last load.
  const loadMs = useRef(0)
  useEffect(() => {
    if (revalidator.state === 'idle') return
    const beganAt = performance.now()
    return () => {
      loadMs.current = performance.now() - beganAt
    }
  }, [revalidator.state])

  useEffect(() => {
    const client = createVeritasClient()
    let timer: ReturnType<typeof setTimeout> | undefined
    let asking: AbortController | undefined
    let failures = 0
    let loadedAt = performance.now()

    /** Reloads the data if they changed. Returns the pause before the next request, in ms. */
    const loadIfNew = (pulse: Pulse): number => {
      const { shown, isIdle, revalidator } = latest.current
      const isNew = pulse.mark !== shown.mark || pulse.today !== shown.today || missedNow() !== null
      if (!isNew && everyMs === null && performance.now() - loadedAt < REDRAW_MS) return 0
      if (!isIdle) return SHORTEST_MS
      loadedAt = performance.now()
      revalidator.revalidate()
      return everyMs ?? Math.min(MAX_REST_MS, Math.max(REST_MS, 2 * loadMs.current))
    }
    const beat = async () => {
      const own = new AbortController()
      asking = own
      const askedAt = performance.now()
      let restMs: number
      try {
        const { shown, seen } = latest.current
        // Right after a failure, ask for an immediate answer (no long poll) to learn whether the server is back.
        const known = everyMs === null && failures === 0 ? { known: shown.mark, behind: seen.behind } : {}
        const pulse = await client.stats.pulse.query(known, { signal: own.signal })
        failures = 0
        setUnheard((now) => (now.away === null ? now : { away: null }))
        setSeen(pulse)
        restMs = Math.max(loadIfNew(pulse), SHORTEST_MS - (performance.now() - askedAt))
      } catch (error) {
        if (own.signal.aborted) return
        if (isLoggedOut(error)) {
          // The reload redirects to the login, which leads back here.
          latest.current.revalidator.revalidate()
        }
        failures += 1
        // A single failure may be a restart; show a message from the second one on.
        if (failures > 1) setUnheard({ away: awayOf(error) ?? 'page' })
        restMs = waitAfter(failures)
      }
      if (!own.signal.aborted && document.visibilityState === 'visible') timer = setTimeout(beat, restMs)
    }
    const again = () => {
      clearTimeout(timer)
      asking?.abort()
      if (document.visibilityState === 'visible') void beat()
    }
    if (document.visibilityState === 'visible') timer = setTimeout(beat, everyMs ?? 0)
    document.addEventListener('visibilitychange', again)
    window.addEventListener('online', again)
    window.addEventListener('offline', again)
    return () => {
      clearTimeout(timer)
      asking?.abort()
      document.removeEventListener('visibilitychange', again)
      window.removeEventListener('online', again)
      window.removeEventListener('offline', again)
    }
  }, [everyMs])

  // While the mark is unchanged, the newer answer also applies to the data shown.
  const { freshness, now } = seen.mark === shown.mark && seen.now > shown.now ? seen : shown
  return { away: unheard.away ?? missed, freshness, now }
}
