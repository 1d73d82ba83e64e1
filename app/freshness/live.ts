import { useRevalidator } from '@remix-run/react'
import { useEffect, useRef, useState } from 'react'
import { createVeritasClient } from '../../trpc/client.ts'
import type { Pulse } from '../../trpc/schema/stats.ts'
import { type Away, isLoggedOut, whatIsAway } from './away.ts'

/** With the flush (200 ms) and the page's own loading, an event shows within a second of its arrival. */
const BEAT_MS = 500
const MAX_WAIT_MS = 30_000
/** A page whose events wait is drawn anew this often, so that the time it is behind stays true. */
const STALE_DRAW_MS = 15_000

/**
 * Keeps a page live: asks for the pulse twice a second while the page can be seen, and loads the page's data again when
 * the pulse changed. Waits twice as long after each failure. Says what cannot be
 * reached; null while all can.
 */
export function useLive(shown: Pulse): { away: Away | null } {
  const revalidator = useRevalidator()
  const [away, setAway] = useState<Away | null>(null)
  const latest = useRef({ shown, revalidator })
  latest.current = { shown, revalidator }

  useEffect(() => {
    const client = createVeritasClient()
    let timer: ReturnType<typeof setTimeout> | undefined
    let failures = 0
    let drawnAt = Date.now()
    let asking: AbortController | undefined

    const beat = async () => {
      asking = new AbortController()
      try {
        const pulse = await client.stats.pulse.query(undefined, { signal: asking.signal })
        const { shown, revalidator } = latest.current
        const changed = pulse.events !== shown.events || pulse.freshness.waiting !== shown.freshness.waiting
        const old = pulse.freshness.waiting > 0 && Date.now() - drawnAt > STALE_DRAW_MS
        if ((changed || old) && revalidator.state === 'idle') {
          drawnAt = Date.now()
          revalidator.revalidate()
        }
        failures = 0
        setAway(null)
      } catch (error) {
        if (asking.signal.aborted) return
        if (isLoggedOut(error)) {
          // Loading the page anew leads to the login and back here.
          latest.current.revalidator.revalidate()
          return
        }
        failures += 1
        // One failure may be a restart; two in a row are worth a word.
        if (failures > 1) setAway(whatIsAway(error))
      }
      schedule()
    }
    const schedule = () => {
      clearTimeout(timer)
      if (document.visibilityState === 'visible')
        timer = setTimeout(beat, Math.min(MAX_WAIT_MS, BEAT_MS * 2 ** Math.min(failures, 10)))
    }
    const onVisibility = () => {
      clearTimeout(timer)
      asking?.abort()
      if (document.visibilityState === 'visible') void beat()
    }
    schedule()
    document.addEventListener('visibilitychange', onVisibility)
    return () => {
      clearTimeout(timer)
      asking?.abort()
      document.removeEventListener('visibilitychange', onVisibility)
    }
  }, [])
  return { away }
}
