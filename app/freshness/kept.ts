import { type ClientLoaderFunction, data } from '@remix-run/react'
import { useEffect, useSyncExternalStore } from 'react'
import type { PageError } from '../errors/page-error.ts'
import { type Away, awayOf } from './away.ts'

/** The last data of each route that keeps them, and the address (without what may change in it) that they are of. */
const kept = new Map<string, { place: string; data: unknown }>()

/** Routes whose last load failed: what they show is not what the address asks for, or not as it is now. */
const missed = new Map<string, Away>()
const listeners = new Set<() => void>()

function setMissed(routeId: string, away: Away | null): void {
  if ((missed.get(routeId) ?? null) === away) return
  if (away) missed.set(routeId, away)
  else missed.delete(routeId)
  for (const listener of listeners) listener()
}

/** What kept a page's last load from its data; null when it has them. */
export function useMissed(): Away | null {
  return useSyncExternalStore(subscribe, missedNow, () => null)
}

export function missedNow(): Away | null {
  return [...missed.values()][0] ?? null
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Remembers what the route shows, for keepsLast. */
export function useKept(routeId: string, place: string, shown: unknown): void {
  useEffect(() => {
    kept.set(routeId, { place, data: shown })
  }, [routeId, place, shown])
  // Another page is not kept from anything by what this one misses.
  useEffect(() => () => setMissed(routeId, null), [routeId])
}

/**
 * A route's loader in the browser: a load that fails leaves the data that the route shows, if they are of the same place
 * (the path; for a frame around pages any), and the route is known to miss something until a load succeeds (useLive
 * tries again). Without such data the route says that nothing answers.
 */
export function keepsLast(routeId: string, placeOf: (path: string) => string = (path) => path): ClientLoaderFunction {
  return async ({ request, serverLoader }) => {
    try {
      const loaded = await serverLoader()
      setMissed(routeId, null)
      return loaded
    } catch (error) {
      if (request.signal.aborted) throw error
      const away = awayOf(error)
      if (away === null) throw error
      const last = kept.get(routeId)
      if (last?.place === placeOf(new URL(request.url).pathname)) {
        setMissed(routeId, away)
        return last.data
      }
      throw away === 'server' ? data(nothingAnswers, { status: 503 }) : error
    }
  }
}

const nothingAnswers: PageError = { message: null, reference: null, at: null, away: 'server' }
