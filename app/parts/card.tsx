import type { ReactNode } from 'react'
import { useId } from 'react'

/** A titled section with a background. `flush` removes the inner padding, for tables and lists. */
export function Card({
  title,
  note,
  aside,
  className = '',
  flush = false,
  footer,
  children,
}: {
  title: string
  note?: ReactNode
  aside?: ReactNode
  className?: string
  flush?: boolean
  footer?: ReactNode
  children: ReactNode
}) {
  const id = useId()
  return (
    <section className={`card ${className}`} aria-labelledby={id}>
      <header>
        <div className="min-w-0 flex-1">
          <h2 id={id}>{title}</h2>
          {note && <p className="note">{note}</p>}
        </div>
        {aside}
      </header>
      <div className={flush ? 'flush' : 'body'}>{children}</div>
      {footer}
    </section>
  )
}

/** Explains why there is nothing to show, with one action to take. */
export function Empty({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <svg
        className="art"
        viewBox="0 0 88 52"
        aria-hidden="true"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
      >
        <path d="M2 50h84" />
        <path d="M14 50V34h10v16M39 50V24h10v26M64 50V12h10v38" strokeDasharray="3 3.5" />
      </svg>
      <p className="title">{title}</p>
      <p>{children}</p>
      {action}
    </div>
  )
}
