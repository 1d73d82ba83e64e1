import { useEffect, useRef, useState } from 'react'
import type { Away } from '../freshness/away.ts'
import { askJson, load } from '../freshness/load.ts'
import { type List, listOf, type Part, withFirst, withNext } from './list.ts'

export interface Older<Item> {
  items: readonly Item[]
  nextCursor: string | null
  loading: boolean
  /** Number of items on the last page loaded; null before one was. */
  added: number | null
  /** Why the next page cannot be loaded (it is retried); null if it can. */
  away: Away | null
  load(address: string): void
}

/**
 * A list that grows page by page. `first` is loaded with the document and updated when that reloads. An answer is
 * dropped if `of` has changed since the request.
 */
export function useOlder<Item>({
  of,
  first,
  keyOf,
  onRefused,
}: {
  of: string
  first: Part<Item>
  keyOf: (item: Item) => string
  /** Called with an error that a retry does not change. */
  onRefused: (error: unknown) => void
}): Older<Item> {
  const [state, setState] = useState<List<Item>>(() => listOf(of, first))
  let list = state
  if (state.of !== of) list = listOf(of, first)
  else if (state.first !== first) list = withFirst(state, first, keyOf)
  if (list !== state) setState(list)

  const [added, setAdded] = useState<{ of: string; count: number } | null>(null)
  const [asking, setAsking] = useState<{ of: string; away: Away | null } | null>(null)
  const latest = useRef({ keyOf, onRefused })
  latest.current = { keyOf, onRefused }
  const wanted = useRef<{ of: string; controller: AbortController } | null>(null)
  // Abort requests for the previous list. The cleanup runs after the new list is shown, so it spares a request for the
  // new list that a quick click has already started.
  useEffect(
    () => () => {
      if (wanted.current?.of !== of) return
      wanted.current.controller.abort()
      wanted.current = null
      setAsking(null)
    },
    [of],
  )

  async function ask(address: string): Promise<void> {
    if (wanted.current?.of === of) return
    wanted.current?.controller.abort()
    const controller = new AbortController()
    wanted.current = { of, controller }
    const { signal } = controller
    setAsking({ of, away: null })
    try {
      const next = await load((signal) => askJson<Part<Item>>(address, signal), {
        signal,
        onAway: (away) => setAsking({ of, away }),
      })
      setAdded({ of, count: next.items.length })
      setState((now) => (now.of === of ? withNext(now, next, latest.current.keyOf) : now))
    } catch (error) {
      if (!signal.aborted) latest.current.onRefused(error)
    }
    if (wanted.current?.controller === controller) {
      wanted.current = null
      setAsking(null)
    }
  }

  return {
    items: list.items,
    nextCursor: list.nextCursor,
    loading: asking?.of === of,
    added: added?.of === of ? added.count : null,
    away: asking?.of === of ? asking.away : null,
    load: (address) => void ask(address),
  }
}
