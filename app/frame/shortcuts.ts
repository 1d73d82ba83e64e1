import { useNavigate } from '@remix-run/react'
import { useEffect, useRef } from 'react'
import { pages } from './pages.ts'

interface Openers {
  openPalette: () => void
  openHelp: () => void
}

/** How long the g of "g d" waits for its second key. */
const SEQUENCE_MS = 1200

/**
 * Keys that work on every page. Where a page has a link for a key (data-key="["), the key follows that link, so the
 * keyboard can do nothing that the page does not show.
 */
export function useShortcuts({ openPalette, openHelp }: Openers): void {
  const navigate = useNavigate()
  const latest = useRef({ openPalette, openHelp, navigate })
  latest.current = { openPalette, openHelp, navigate }
  useEffect(() => {
    let afterG = 0
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        latest.current.openPalette()
        return
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (document.querySelector('dialog[open]')) return
      const page = Date.now() - afterG < SEQUENCE_MS && pages.find(({ key }) => key === event.key)
      afterG = event.key === 'g' ? Date.now() : 0
      if (page) latest.current.navigate(page.to)
      else if (event.key === '/') latest.current.openPalette()
      else if (event.key === '?') latest.current.openHelp()
      else if (event.key === 'j') focusRow(1)
      else if (event.key === 'k') focusRow(-1)
      else if (!followKey(event.key)) return
      event.preventDefault()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

function followKey(key: string): boolean {
  if (!/^[[\]c]$/.test(key)) return false
  const link = document.querySelector<HTMLElement>(`[data-key="${key}"]`)
  link?.click()
  return link !== null
}

function focusRow(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')]
  if (rows.length === 0) return
  const now = rows.indexOf(document.activeElement as HTMLElement)
  const next = now === -1 ? (by === 1 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, now + by))
  rows[next]?.focus()
}
