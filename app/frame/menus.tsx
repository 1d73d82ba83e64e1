import { Form, NavLink, useFetcher, useLocation } from '@remix-run/react'
import { Icon } from '../parts/icon.tsx'
import { useRoot } from '../root-data.ts'
import { themeNames, themes } from '../theme.ts'
import { Menu } from './menu.tsx'
import { pages } from './pages.ts'
import { usePlaces } from './places.ts'
import { useFrame } from './site.ts'

export function AccountMenu() {
  const { account } = useFrame()
  const initials = account.name
    .split(/\s+/)
    .map((word) => [...word][0] ?? '')
    .slice(0, 2)
    .join('')
    .toUpperCase()
  return (
    <Menu className="account-menu">
      <summary className="account">
        <span className="initials" aria-hidden="true">
          {initials}
        </span>
        <span className="sr-only">Account menu</span>
        <Icon name="down" />
      </summary>
      <div className="pop">
        <AccountItems />
      </div>
    </Menu>
  )
}

export function SmallMenu() {
  const placeOf = usePlaces()
  return (
    <Menu className="small-menu">
      <summary className="menu-button" aria-label="Menu">
        <Icon name="menu" />
      </summary>
      <div className="pop">
        <nav aria-label="Main, small screen">
          {pages.map((page) => (
            <NavLink key={page.to} className="item" to={placeOf(page.to)}>
              {page.name}
            </NavLink>
          ))}
        </nav>
        <hr />
        <AccountItems />
      </div>
    </Menu>
  )
}

function AccountItems() {
  const { account } = useFrame()
  return (
    <>
      <div className="px-2.5 pt-2 pb-2.5">
        <b>{account.name}</b>
        <div className="text-xs text-text-2">
          {account.email} · {account.role === 'owner' ? 'Owner' : 'Analyst'}
        </div>
      </div>
      <hr />
      <ThemeChoice />
      <hr />
      <NavLink className="item" to="/system">
        <Icon name="pulse" />
        System
      </NavLink>
      <a className="item" href="/api-docs">
        <Icon name="book" />
        API docs
      </a>
      <Form method="post" action="/logout" reloadDocument>
        <button type="submit" className="item">
          <Icon name="logout" />
          Logout
        </button>
      </Form>
    </>
  )
}

function ThemeChoice() {
  const chosen = useRoot()?.theme ?? 'system'
  const { pathname, search } = useLocation()
  // A fetcher does not navigate: if the request fails, the page stays as it is.
  const { Form: Choice } = useFetcher()
  return (
    <Choice method="post" action="/theme" preventScrollReset className="px-2.5 py-1.5">
      <input type="hidden" name="back" value={pathname + search} />
      <fieldset className="flex items-center justify-between gap-3">
        <legend className="sr-only">Theme</legend>
        <span aria-hidden="true">Theme</span>
        <span className="seg">
          {themeNames.map((name) => (
            <button key={name} type="submit" name="theme" value={name} aria-pressed={chosen === name}>
              {themes[name]}
            </button>
          ))}
        </span>
      </fieldset>
    </Choice>
  )
}
