import { useRevalidator } from '@remix-run/react'
import { useEffect, useRef, useState } from 'react'
import { createVeritasClient } from '../../trpc/client.ts'

const EVERY_MS = 3000

/**
 * Draws the page anew every few seconds while it can be seen. A server that does not answer leaves the figures as they
 * are; `lostSince` is when it last did (epoch milliseconds), null while all is well.
 */
export function useRefresh(checkedAt: string): { lostSince: number | null } {
  const revalidator = useRevalidator()
  const [lostSince, setLostSince] = useState<number | null>(null)
  const latest = useRef({ revalidator, checkedAt })
  latest.current = { revalidator, checkedAt }

  useEffect(() => {
    const client = createVeritasClient()
    let timer: ReturnType<typeof setTimeout> | undefined
    let asking: AbortController | undefined
    let failures = 0

    const look = async () => {
      if (document.visibilityState !== 'visible') return
      asking = new AbortController()
      const { revalidator, checkedAt } = latest.current
      try {
        // Asked first: a page that is drawn anew while the server is away would be gone.
        await client.system.status.query(undefined, { signal: asking.signal })
        failures = 0
        setLostSince(null)
        if (revalidator.state === 'idle') revalidator.revalidate()
      } catch {
        if (asking.signal.aborted) return
        failures += 1
        // One failure may be a restart.
        if (failures > 1) setLostSince(Date.parse(checkedAt))
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
  return { lostSince }
}
