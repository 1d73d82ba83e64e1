import { useLocation, useNavigation, useRevalidator } from '@remix-run/react'
import { useEffect, useRef, useState } from 'react'
import { createVeritasClient } from '../../trpc/client.ts'
import type { Freshness } from '../../trpc/schema/common.ts'
import type { Pulse } from '../../trpc/schema/stats.ts'
import { type Away, awayOf, isLoggedOut } from './away.ts'
import { missedNow, useKept, useMissed } from './kept.ts'
import { waitAfter } from './load.ts'

/** Between two loads of a page's data, however often they change; more where a load takes long. */
const REST_MS = 2000
const MAX_REST_MS = 10_000
/** Between two questions that were answered at once with nothing new. */
const SHORTEST_MS = 1000
/** Figures of a day that is not over stand beside those of another up to the same moment, which moves on by itself. */
const REDRAW_MS = 5 * 60_000

export interface Live {
  /** What cannot be reached; null while all can. */
  away: Away | null
  /** To when what the page shows is complete, and the server's time when it said so. */
  freshness: Freshness
  now: string
}

/**
 * Keeps a page live while it can be seen: waits at the server for its mark to change and loads the page's data again
 * when it did; with `everyMs` it loads them that often whatever changed. Never while a navigation is under way. The page
 * keeps what it has while a load fails (keepsLast), and the load is tried again.
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
  // A new object after each failure, so that the age of the figures is drawn anew.
  const [unheard, setUnheard] = useState<{ away: Away | null }>({ away: null })
  const [seen, setSeen] = useState<Pulse>(shown)
  const isIdle = navigation.state === 'idle' && revalidator.state === 'idle'
  const latest = useRef({ shown, seen, isIdle, revalidator })
  latest.current = { shown, seen, isIdle, revalidator }
  useKept(routeId, pathname, page)
  // How long the last load took.
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

    /** How long to rest before the next question. */
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
        // After a failure it matters at once whether there is an answer at all.
        const known = everyMs === null && failures === 0 ? { known: shown.mark, behind: seen.behind } : {}
        const pulse = await client.stats.pulse.query(known, { signal: own.signal })
        failures = 0
        setUnheard((now) => (now.away === null ? now : { away: null }))
        setSeen(pulse)
        restMs = Math.max(loadIfNew(pulse), SHORTEST_MS - (performance.now() - askedAt))
      } catch (error) {
        if (own.signal.aborted) return
        if (isLoggedOut(error)) {
          // Loading the page anew leads to the login and back here.
          latest.current.revalidator.revalidate()
        }
        failures += 1
        // One failure may be a restart; two in a row are worth a word.
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

  // What the server said since holds for what the page shows as long as its mark is the same.
  const { freshness, now } = seen.mark === shown.mark && seen.now > shown.now ? seen : shown
  return { away: unheard.away ?? missed, freshness, now }
}
