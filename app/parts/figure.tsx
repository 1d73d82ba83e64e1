import { type CSSProperties, Fragment } from 'react'

/** A figure in the largest font size its card has room for. May only wrap between currency code and amount. */
export function Value({ text, className = 'v' }: { text: string; className?: string }) {
  const [first, ...rest] = text.split('\u00a0')
  return (
    <dd className={className} style={{ '--length': text.length } as CSSProperties}>
      {first}
      {rest.map((part) => (
        <Fragment key={part}>
          {'\u00a0'}
          <wbr />
          {part}
        </Fragment>
      ))}
    </dd>
  )
}
