import { type CSSProperties, Fragment } from 'react'

/** The value of a figure, as large as its card has room for; on two lines a currency's code stands before its amount. */
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
