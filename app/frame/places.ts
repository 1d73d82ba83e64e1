import { useLocation } from '@remix-run/react'
import { useEffect, useState } from 'react'
import { pages } from './pages.ts'

/** Query parameters that are not worth returning to. */
const ofTheMoment = ['cursor']

/** The address of a page with its query (period, comparison, search, sort) for returning to it later. */
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
    // The browser blocks storage: every page opens with its defaults.
  }
  return pathname
}

function remember(pathname: string, place: string): void {
  places.set(pathname, place)
  try {
    window.sessionStorage.setItem(storedAs(pathname), place)
  } catch {
    // The browser blocks storage: the place is only remembered until the document is reloaded.
  }
}

/** The address of a page as last viewed in this tab. Reads storage, so only call it from event handlers. */
export function lastPlace(pathname: string): string {
  return pages.some(({ to }) => to === pathname) ? remembered(pathname) : pathname
}

/** Like lastPlace, for links in render. Pages have their default addresses on the server and in the first render. */
export function usePlaces(): (pathname: string) => string {
  const { pathname, search } = useLocation()
  const [known, setKnown] = useState<ReadonlyMap<string, string>>(new Map())
  useEffect(() => {
    if (pages.some(({ to }) => to === pathname)) remember(pathname, placeOf(pathname, search))
    setKnown(new Map(pages.map(({ to }) => [to, remembered(to)])))
  }, [pathname, search])
  return (to) => known.get(to) ?? to
}
