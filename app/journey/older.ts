import { useFetcher } from '@remix-run/react'
import { useEffect, useState } from 'react'

/**
 * Pages of a list that are appended as they are asked for. `first` is the page that came with the address; when it
 * changes, what was appended belongs to another list and goes.
 */
export function useOlder<P>(first: P, key: string): { pages: P[]; loading: boolean; load: (href: string) => void } {
  const fetcher = useFetcher<P>({ key: `older-${key}` })
  const [kept, setKept] = useState<{ first: P; more: P[] }>({ first, more: [] })
  const more = kept.first === first ? kept.more : []
  const arrived = fetcher.data as P | undefined
  useEffect(() => {
    if (arrived === undefined) return
    setKept((now) => {
      if (now.more.includes(arrived)) return now
      return { first: now.first, more: [...now.more, arrived] }
    })
  }, [arrived])
  useEffect(() => setKept({ first, more: [] }), [first])
  return { pages: [first, ...more], loading: fetcher.state !== 'idle', load: fetcher.load }
}
