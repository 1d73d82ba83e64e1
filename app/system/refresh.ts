import { useRevalidator } from '@remix-run/react'
import { useEffect, useRef, useState } from 'react'
import { createVeritasClient } from '../../trpc/client.ts'
import { type Away, whatIsAway } from '../freshness/away.ts'

const EVERY_MS = 3000

/**
 * Draws the page anew every few seconds while it can be seen. A server that does not answer leaves the figures as they
 * are, and so does one whose store is away; null while all is well.
 */
export function useRefresh(): { away: Away | null } {
  const revalidator = useRevalidator()
  // A new object each time it fails, so that the age of the figures is drawn anew.
  const [state, setState] = useState<{ away: Away | null }>({ away: null })
  const latest = useRef(revalidator)
  latest.current = revalidator

  useEffect(() => {
    const client = createVeritasClient()
    let timer: ReturnType<typeof setTimeout> | undefined
    let asking: AbortController | undefined
    let failures = 0

    const look = async () => {
      if (document.visibilityState !== 'visible') return
      asking = new AbortController()
      try {
        // Asked first: a page that is drawn anew while the server is away would be gone.
        await client.system.status.query(undefined, { signal: asking.signal })
        failures = 0
        setState({ away: null })
        if (latest.current.state === 'idle') latest.current.revalidate()
      } catch (error) {
        if (asking.signal.aborted) return
        failures += 1
        // One failure may be a restart.
        if (failures > 1) setState({ away: whatIsAway(error) })
      }
      timer = setTimeout(look, EVERY_MS)
    }
    const onVisibility = () => {
      clearTimeout(timer)
      asking?.abort()
      void look()
    }
    timer = setTimeout(look, EVERY_MS)
    document.addEventListener('visibilitychange', onVisibility)
    return () => {
      clearTimeout(timer)
      asking?.abort()
      document.removeEventListener('visibilitychange', onVisibility)
    }
  }, [])
  return state
}
