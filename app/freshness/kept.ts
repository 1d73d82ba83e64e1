import { type ClientLoaderFunction, data } from '@remix-run/react'
import { useEffect, useSyncExternalStore } from 'react'
import type { PageError } from '../errors/page-error.ts'
import { type Away, awayOf } from './away.ts'

/** The last data loaded by each route, and the address they are for (as returned by keepsLast's placeOf). */
const kept = new Map<string, { place: string; data: unknown }>()

/** Routes whose last load failed, and why: the data they show are out of date or for another address. */
const missed = new Map<string, Away>()
const listeners = new Set<() => void>()

function setMissed(routeId: string, away: Away | null): void {
  if ((missed.get(routeId) ?? null) === away) return
  if (away) missed.set(routeId, away)
  else missed.delete(routeId)
  for (const listener of listeners) listener()
}

/** Why the last load of a page failed; null if it succeeded. */
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

/** Stores the data that a route shows, for keepsLast. */
export function useKept(routeId: string, place: string, shown: unknown): void {
  useEffect(() => {
    kept.set(routeId, { place, data: shown })
  }, [routeId, place, shown])
  // When the route is left, clear its failure: it does not concern the next page.
  useEffect(() => () => setMissed(routeId, null), [routeId])
}

/**
 * A clientLoader that survives failed loads: it returns the data the route last showed if they are for the same place
 * (the path by default; a frame around pages has a single place), and useMissed reports the failure until a load
 * succeeds (useLive retries). Without such data it throws; the error page then says that the server does not answer.
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
