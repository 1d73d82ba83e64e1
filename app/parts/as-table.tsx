import type { ReactNode } from 'react'
import { Icon } from './icon.tsx'

export interface Column {
  name: string
  number?: boolean
}

/** A chart's values as a table, for people who cannot see the chart or want to copy the values. */
export function AsTable({ title, columns, rows }: { title: string; columns: Column[]; rows: ReactNode[][] }) {
  return (
    <details className="more-rows">
      <summary className="turn">
        <Icon name="right" />
        Show as table
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard. */}
      <section className="rows max-h-56 overflow-y-auto" tabIndex={0} aria-label={`${title} as a table`}>
        <table className="table">
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.name} scope="col" className={column.number ? 'num' : undefined}>
                  {column.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, rowIndex) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows are identified by their position.
              <tr key={rowIndex}>
                {row.map((cell, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: cells belong to columns by position.
                  <td key={index} className={columns[index]?.number ? 'num' : undefined}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  )
}
