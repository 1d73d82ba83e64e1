import { useLocation } from '@remix-run/react'
import { useEffect, useState } from 'react'
import { pages } from './pages.ts'

/** What belongs to a moment of a page, and not to how it is looked at. */
const ofTheMoment = ['cursor']

/** The address of a page with its period, comparison, search and sort, as it is worth coming back to. */
export function placeOf(pathname: string, search: string): string {
  const params = new URLSearchParams(search)
  for (const name of ofTheMoment) params.delete(name)
  const text = params.toString()
  return text ? `${pathname}?${text}` : pathname
}

const places = new Map<string, string>()
const storedAs = (pathname: string) => `veritas${pathname}`

function remembered(pathname: string): string {
  const place = places.get(pathname)
  if (place !== undefined) return place
  try {
    const stored = window.sessionStorage.getItem(storedAs(pathname))
    if (stored?.split('?', 1)[0] === pathname) return stored
  } catch {
    // A browser that keeps nothing: every page begins as usual.
  }
  return pathname
}

function remember(pathname: string, place: string): void {
  places.set(pathname, place)
  try {
    window.sessionStorage.setItem(storedAs(pathname), place)
  } catch {
    // It is remembered until the page is loaded anew.
  }
}

/** Where a link to a page leads: as the page was last looked at in this tab. For handlers of events. */
export function lastPlace(pathname: string): string {
  return pages.some(({ to }) => to === pathname) ? remembered(pathname) : pathname
}

/** The same for links that are drawn; on the server, and so at first, every page as usual. */
export function usePlaces(): (pathname: string) => string {
  const { pathname, search } = useLocation()
  const [known, setKnown] = useState<ReadonlyMap<string, string>>(new Map())
  useEffect(() => {
    if (pages.some(({ to }) => to === pathname)) remember(pathname, placeOf(pathname, search))
    setKnown(new Map(pages.map(({ to }) => [to, remembered(to)])))
  }, [pathname, search])
  return (to) => known.get(to) ?? to
}
