import { NavLink, useLocation, useNavigation } from '@remix-run/react'
import type { ReactNode } from 'react'
import { useEffect, useRef, useState } from 'react'
import { formatOffset } from '../format/time.ts'
import { useHydrated } from '../hydrated.ts'
import { Icon } from '../parts/icon.tsx'
import { LogoMark } from '../parts/logo.tsx'
import { SiteMark } from '../parts/site-mark.tsx'
import { useRoot } from '../root-data.ts'
import { useSlow } from '../slow.ts'
import { EventsAlarm } from './events-alarm.tsx'
import { AccountMenu, SmallMenu } from './menus.tsx'
import { PageSkeleton } from './page-skeleton.tsx'
import { pages } from './pages.ts'
import { Palette } from './palette.tsx'
import { usePlaces } from './places.ts'
import { useShortcuts } from './shortcuts.ts'
import { ShortcutsDialog } from './shortcuts-dialog.tsx'
import { useFrame } from './site.ts'

/** The layout around every page: header, page, footer, and the dialogs opened by keyboard. */
export function Frame({ children }: { children: ReactNode }) {
  const { site, now } = useFrame()
  const root = useRoot()
  const hydrated = useHydrated()
  const placeOf = usePlaces()
  const [paletteOpen, setPaletteOpen] = useState(false)
  const help = useRef<HTMLDialogElement>(null)
  useShortcuts({
    openPalette: () => setPaletteOpen(true),
    openHelp: () => help.current?.showModal(),
  })
  return (
    <div className="flex min-h-screen flex-col">
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="top">
        <div className="width">
          <NavLink className="logo" to={placeOf('/dashboard')} aria-label="Veritas, go to dashboard">
            <LogoMark />
            <span>Veritas</span>
          </NavLink>
          <span className="site-name sm:hidden">
            <SiteMark name={site.name} />
            <span className="truncate">{site.name}</span>
          </span>
          <nav className="main-nav" aria-label="Main">
            {pages.map((page) => (
              <NavLink key={page.to} to={placeOf(page.to)} prefetch="intent">
                {page.name}
              </NavLink>
            ))}
          </nav>
          <a
            className="jump"
            href="/users"
            aria-haspopup="dialog"
            onClick={(event) => {
              event.preventDefault()
              setPaletteOpen(true)
            }}
          >
            <Icon name="search" />
            <span>Search or jump to</span>
            <kbd className="keycap">Ctrl K</kbd>
          </a>
          <AccountMenu />
          <SmallMenu />
        </div>
      </header>
      <Page>{children}</Page>
      <footer className="foot mt-auto">
        <div className="width">
          <span>Veritas {root?.version}</span>
          <span>
            All times in {site.timeZone}
            {site.timeZone !== 'UTC' && ` (${formatOffset(now, site.timeZone)})`}
          </span>
          <EventsAlarm />
          {hydrated && (
            <span className="shortcuts-hint ml-auto max-sm:hidden">
              Press <kbd className="keycap">?</kbd> for keyboard shortcuts
            </span>
          )}
        </div>
      </footer>
      {paletteOpen && (
        <Palette
          close={() => setPaletteOpen(false)}
          openHelp={() => {
            setPaletteOpen(false)
            help.current?.showModal()
          }}
        />
      )}
      <ShortcutsDialog ref={help} />
      <Arrival />
    </div>
  )
}

/** Shows a skeleton while another page loads slowly. While the same page loads other data, it stays visible. */
function Page({ children }: { children: ReactNode }) {
  const { state, location } = useNavigation()
  const { pathname } = useLocation()
  const leaving = state === 'loading' && location.pathname !== pathname && isPage(location.pathname)
  const slow = useSlow(leaving)
  return <div className="flex-1">{slow && location ? <PageSkeleton pathname={location.pathname} /> : children}</div>
}

/** After navigation, announces the new page to screen readers and moves the focus to its start. */
function Arrival() {
  const { pathname } = useLocation()
  const [told, setTold] = useState('')
  const shown = useRef(pathname)
  useEffect(() => {
    if (shown.current === pathname) return
    shown.current = pathname
    setTold(document.title)
    // If an element of the new page, such as an autofocus field, already has the focus, leave it there.
    const isElsewhere = document.activeElement?.closest('main, dialog') ?? null
    if (isElsewhere === null) document.getElementById('main')?.focus({ preventScroll: true })
  }, [pathname])
  return (
    <p className="page-told sr-only" role="status">
      {told}
    </p>
  )
}

function isPage(pathname: string): boolean {
  return ['/dashboard', '/users', '/system'].includes(pathname) || pathname.startsWith('/users/')
}
