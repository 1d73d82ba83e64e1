import { useEffect, useState } from 'react'

/** A wait shorter than this is over before a placeholder would help; showing one would only flicker. */
const SLOW_MS = 180

/** True once `waiting` has lasted a moment. */
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
