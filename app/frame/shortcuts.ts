import { useNavigate } from '@remix-run/react'
import { useEffect, useRef } from 'react'
import { pages } from './pages.ts'
import { lastPlace } from './places.ts'

interface Openers {
  openPalette: () => void
  openHelp: () => void
}

const stored = 'veritas-single-keys'

/** Whether single-key shortcuts are on. They disturb people who use speech input or have a tremor. */
export function singleKeysWork(): boolean {
  try {
    return window.localStorage.getItem(stored) !== 'off'
  } catch {
    return true
  }
}

export function chooseSingleKeys(work: boolean): void {
  try {
    if (work) window.localStorage.removeItem(stored)
    else window.localStorage.setItem(stored, 'off')
  } catch {
    // The browser blocks storage, so the choice is not saved.
  }
}

/** How long after g the second key of "g d" is accepted. */
const SEQUENCE_MS = 1200

/**
 * Keyboard shortcuts of all pages. A key that has a link on the page (data-key="[") clicks that link, so the keyboard
 * offers nothing that is not visible.
 */
export function useShortcuts({ openPalette, openHelp }: Openers): void {
  const navigate = useNavigate()
  const latest = useRef({ openPalette, openHelp, navigate })
  latest.current = { openPalette, openHelp, navigate }
  useEffect(() => {
    let afterG = 0
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        latest.current.openPalette()
        return
      }
      if (isCommand(event) || isTyping(event.target)) return
      if (document.querySelector('dialog[open]') || !singleKeysWork()) return
      const page = Date.now() - afterG < SEQUENCE_MS && pages.find(({ key }) => key === event.key)
      afterG = event.key === 'g' ? Date.now() : 0
      if (page) latest.current.navigate(lastPlace(page.to))
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

/**
 * Whether a key press is a browser command. Many keyboard layouts type brackets with AltGr (which Windows reports as
 * Ctrl plus Alt) or Option, so these do not count.
 */
export function isCommand(event: {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  getModifierState: (name: 'AltGraph') => boolean
}): boolean {
  if (event.metaKey) return true
  const writes = /^[[\]/?]$/.test(event.key) && (event.getModifierState('AltGraph') || event.altKey)
  return !writes && (event.ctrlKey || event.altKey)
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
