import { describe, expect, it } from 'vitest'
import type { Collections } from '../collections.ts'
import type { PlannedRow, TotalsRow } from '../rows.ts'
import { Known } from './known.ts'

function totals(_id: string, events: number): TotalsRow {
  return { _id, fold: 0, events, users: 0, sessions: 0, firstAt: 0, lastAt: 0, lastReceivedAt: 0 }
}

function planned(row: TotalsRow): PlannedRow {
  return { into: 'totals', isNew: true, row }
}

/** A database in which every site has 1 event, and the ids it was asked for. */
function createDatabase() {
  const asked: string[][] = []
  const find = ({ _id }: { _id: { $in: string[] } }) => {
    asked.push(_id.$in)
    return { toArray: async () => _id.$in.map((id) => totals(id, 1)) }
  }
  const rows = { totals: { find } } as unknown as Collections
  return { asked, rows, known: new Known(rows) }
}

describe('rows of the last fold', () => {
  it('are not asked for again', async () => {
    const { asked, known } = createDatabase()
    known.refresh(4)
    known.keep(5, [planned(totals('a', 50))])
    known.refresh(5)
    const found = await known.find('totals', ['a', 'b'])
    expect([...found].map(([id, { events }]) => [id, events])).toEqual([
      ['a', 50],
      ['b', 1],
    ])
    expect(asked).toEqual([['b']])
  })

  it('are forgotten when another process has folded since', async () => {
    const { known } = createDatabase()
    known.keep(5, [planned(totals('a', 50))])
    known.refresh(6)
    expect((await known.find('totals', ['a'])).get('a')?.events).toBe(1)
  })

  it('are forgotten when this process finishes a fold that it has not seen the beginning of', async () => {
    const { known } = createDatabase()
    known.keep(5, [planned(totals('a', 50))])
    known.keep(7, [planned(totals('b', 70))])
    known.refresh(7)
    const found = await known.find('totals', ['a', 'b'])
    expect([found.get('a')?.events, found.get('b')?.events]).toEqual([1, 70])
  })

  it('stay as long as folds write them, and go when so many others were written since', async () => {
    const { asked, rows } = createDatabase()
    const known = new Known(rows, 3)
    for (const [fold, ids] of [
      ['a', 'b'],
      ['a', 'c'],
      ['a', 'd'],
      ['a', 'e'],
    ].entries()) {
      known.refresh(fold)
      known.keep(
        fold + 1,
        ids.map((id) => planned(totals(id, 10 * (fold + 1)))),
      )
    }
    known.refresh(4)
    const found = await known.find('totals', ['a', 'b', 'd', 'e'])
    expect(['a', 'b', 'd', 'e'].map((id) => found.get(id)?.events)).toEqual([40, 1, 30, 40])
    expect(asked).toEqual([['b']])
  })

  it('are asked for in steps', async () => {
    const { asked, known } = createDatabase()
    const ids = Array.from({ length: 600 }, (_, n) => `site-${n}`)
    expect((await known.find('totals', ids)).size).toBe(600)
    expect(asked.map((step) => step.length)).toEqual([250, 250, 100])
  })
})
