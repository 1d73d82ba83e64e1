import { useLocation } from '@remix-run/react'
import type { ReactNode } from 'react'
import { useEffect, useRef } from 'react'

/** A details element that closes like a menu: on Escape, on a click or focus elsewhere, and on navigation. */
export function Menu({ className, children }: { className: string; children: ReactNode }) {
  const menu = useRef<HTMLDetailsElement>(null)
  const { key } = useLocation()
  // Skip the first render: the menu may have been opened before the scripts loaded.
  const place = useRef(key)
  useEffect(() => {
    if (place.current !== key && menu.current) menu.current.open = false
    place.current = key
  }, [key])
  useEffect(() => {
    const closeOutside = (event: PointerEvent) => {
      if (menu.current?.open && !menu.current.contains(event.target as Node)) menu.current.open = false
    }
    const closeOnEscape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || !menu.current?.open) return
      menu.current.open = false
      menu.current.querySelector('summary')?.focus()
    }
    document.addEventListener('pointerdown', closeOutside)
    document.addEventListener('keydown', closeOnEscape)
    return () => {
      document.removeEventListener('pointerdown', closeOutside)
      document.removeEventListener('keydown', closeOnEscape)
    }
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Enter on a link is a click, too.
    <details
      ref={menu}
      className={`menu ${className}`}
      onBlur={({ currentTarget, relatedTarget }) => {
        // relatedTarget is null if the window lost the focus or a non-focusable element was clicked: stay open.
        if (relatedTarget && !currentTarget.contains(relatedTarget)) currentTarget.open = false
      }}
      onClick={(event) => {
        if (menu.current && event.target instanceof Element && event.target.closest('a')) menu.current.open = false
      }}
    >
      {children}
    </details>
  )
}
