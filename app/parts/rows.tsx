import type { ReactNode } from 'react'

/** A table in a box that scrolls horizontally on narrow screens, also by keyboard. */
export function Rows({ name, className = '', children }: { name: string; className?: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard.
    <section className={`rows ${className}`} tabIndex={0} aria-label={name}>
      {children}
    </section>
  )
}
