import { useEffect, useState } from 'react'

/** Shorter waits get no placeholder, which would only flicker. */
const SLOW_MS = 180

/** True once `waiting` has been true for SLOW_MS. */
export function useSlow(waiting: boolean): boolean {
  const [slow, setSlow] = useState(false)
  useEffect(() => {
    if (!waiting) {
      setSlow(false)
      return
    }
    const timer = setTimeout(() => setSlow(true), SLOW_MS)
    return () => clearTimeout(timer)
  }, [waiting])
  return waiting && slow
}
