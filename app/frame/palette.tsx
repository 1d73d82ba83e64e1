import { useFetcher, useLocation, useNavigate, useRevalidator, useSubmit } from '@remix-run/react'
import { useEffect, useId, useRef, useState } from 'react'
import { createVeritasClient } from '../../trpc/client.ts'
import { cut } from '../format/cut.ts'
import { seen } from '../format/direction.ts'
import { type Away, awayLines } from '../freshness/away.ts'
import { load } from '../freshness/load.ts'
import type { IconName } from '../parts/icon.tsx'
import { Icon } from '../parts/icon.tsx'
import { themeNames, themes } from '../theme.ts'
import { pages } from './pages.ts'
import { lastPlace } from './places.ts'

interface Choice {
  id: string
  icon: IconName
  name: string
  kind: 'Page' | 'User' | 'Action'
  run: () => void
}

/** Maximum number of users suggested. */
const SHOWN = 6
/** Pause in typing before users are searched. */
const REST_MS = 150

/** The command palette: pages, users by the start of their ID, and actions. Opened with Ctrl K or "/". */
export function Palette({ close, openHelp }: { close: () => void; openHelp: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [typed, setTyped] = useState('')
  const [at, setAt] = useState(0)
  const listId = useId()
  const wanted = cut(typed.trim(), 256)
  const { users, away } = useUsers(wanted)
  const choices = useChoices(wanted, users, close, openHelp)
  const active = choices[Math.min(at, choices.length - 1)]

  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  useEffect(() => {
    if (active) document.getElementById(`${listId}-${active.id}`)?.scrollIntoView({ block: 'nearest' })
  }, [active, listId])

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog without our help.
    <dialog
      ref={dialog}
      className="palette"
      aria-label="Search or jump to"
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <input
        className="h-14 w-full border-b border-border bg-transparent px-5 outline-none placeholder:text-text-3"
        role="combobox"
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={active && `${listId}-${active.id}`}
        aria-autocomplete="list"
        aria-label="Page, action or the beginning of a user ID"
        placeholder="Page, action or the beginning of a user ID"
        autoComplete="off"
        spellCheck={false}
        autoFocus
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value)
          setAt(0)
        }}
        onKeyDown={(event) => {
          const last = choices.length - 1
          if (event.key === 'ArrowDown') setAt((now) => (now >= last ? 0 : now + 1))
          else if (event.key === 'ArrowUp') setAt((now) => (now <= 0 ? last : now - 1))
          else if (event.key === 'Enter') active?.run()
          else return
          event.preventDefault()
        }}
      />
      <div id={listId} role="listbox" aria-label="Choices" className="max-h-[48vh] overflow-y-auto p-1.5">
        {choices.map((choice, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys; options never have the focus.
          // biome-ignore lint/a11y/useFocusableInteractive: aria-activedescendant of the field points here.
          <div
            key={choice.id}
            id={`${listId}-${choice.id}`}
            role="option"
            aria-selected={choice === active}
            onClick={choice.run}
            onPointerMove={() => setAt(index)}
          >
            <Icon name={choice.icon} />
            <bdi className="flex-1 truncate text-left">{choice.name}</bdi>
            <span className="text-xs text-text-3">{choice.kind}</span>
          </div>
        ))}
      </div>
      {away && (
        <p className="px-5 pb-3 text-[13px] text-text-2" role="status">
          <i className="dot off mr-1.5 inline-block" aria-hidden="true" />
          {awayLines[away]}
        </p>
      )}
      {choices.length === 0 && <p className="px-5 pb-4 text-text-2">Nothing begins with “{seen(typed)}”.</p>}
      <p className="flex gap-4 border-t border-border px-5 py-2.5 text-xs text-text-3" aria-hidden="true">
        <span>
          <kbd className="keycap">↑↓</kbd> move
        </span>
        <span>
          <kbd className="keycap">Enter</kbd> open
        </span>
        <span>
          <kbd className="keycap">Esc</kbd> close
        </span>
      </p>
    </dialog>
  )
}

function useChoices(typed: string, users: string[], close: () => void, openHelp: () => void): Choice[] {
  const navigate = useNavigate()
  const submit = useSubmit()
  const { submit: choose } = useFetcher({ key: 'theme' })
  const { pathname, search } = useLocation()
  const go = (to: string) => () => {
    close()
    navigate(lastPlace(to))
  }
  const fixed: Choice[] = [
    ...pages.map((page) => ({
      id: page.key,
      icon: 'page' as const,
      name: page.name,
      kind: 'Page' as const,
      run: go(page.to),
    })),
    { id: 'system', icon: 'pulse', name: 'System', kind: 'Page', run: go('/system') },
    ...themeNames.map((theme) => ({
      id: `theme-${theme}`,
      icon: 'sun' as const,
      name: `Theme: ${themes[theme]}`,
      kind: 'Action' as const,
      run: () => {
        close()
        choose({ theme, back: pathname + search }, { method: 'post', action: '/theme' })
      },
    })),
    { id: 'keys', icon: 'keyboard', name: 'Keyboard shortcuts', kind: 'Action', run: openHelp },
    { id: 'docs', icon: 'book', name: 'API docs', kind: 'Page', run: () => window.location.assign('/api-docs') },
    {
      id: 'logout',
      icon: 'logout',
      name: 'Logout',
      kind: 'Action',
      run: () => submit(null, { method: 'post', action: '/logout' }),
    },
  ]
  if (!typed) return fixed
  const wanted = typed.toLowerCase()
  return [
    ...fixed.filter((choice) => choice.name.toLowerCase().includes(wanted)),
    ...users.map((userId, index) => ({
      id: `user-${index}`,
      icon: 'users' as const,
      name: seen(userId),
      kind: 'User' as const,
      run: go(`/users/${encodeURIComponent(userId)}/journey`),
    })),
    {
      id: 'search',
      icon: 'search' as const,
      name: `Search users for “${seen(typed)}”`,
      kind: 'Action' as const,
      run: go(`/users?${new URLSearchParams({ search: typed })}`),
    },
  ]
}

interface Found {
  users: string[]
  away: Away | null
}

/** User IDs that start with the typed text, and why they cannot be loaded (null if they can). */
function useUsers(typed: string): Found {
  const { revalidate } = useRevalidator()
  const [found, setFound] = useState<Found>({ users: [], away: null })
  const refused = useRef(revalidate)
  refused.current = revalidate
  useEffect(() => {
    if (!typed) return
    const client = createVeritasClient()
    const leaving = new AbortController()
    const { signal } = leaving
    const timer = setTimeout(async () => {
      try {
        const { users } = await load(
          (signal) => client.users.list.query({ search: typed, pageSize: SHOWN }, { signal }),
          {
            signal,
            onAway: (away) => setFound((now) => ({ ...now, away })),
          },
        )
        setFound({ users: users.map(({ userId }) => userId), away: null })
      } catch {
        // Revalidating leads to the login if the session has ended. Text that is no valid search finds nobody.
        if (!signal.aborted) refused.current()
      }
    }, REST_MS)
    return () => {
      clearTimeout(timer)
      leaving.abort()
    }
  }, [typed])
  // Until the answer for the new text arrives, keep those earlier results that still match.
  return { users: found.users.filter((userId) => userId.startsWith(typed)), away: typed ? found.away : null }
}
