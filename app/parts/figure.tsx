import type { CSSProperties } from 'react'

/** The value of a figure, as large as its card has room for. */
export function Value({ text, className = 'v' }: { text: string; className?: string }) {
  return (
    <dd className={className} style={{ '--length': text.length } as CSSProperties}>
      {text}
    </dd>
  )
}
