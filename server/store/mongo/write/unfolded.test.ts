import { describe, expect, it } from 'vitest'
import { Unfolded } from './unfolded.ts'

const figures = (rows: number) => ({ sites: [], rows })

describe('batches that no fold has', () => {
  it('are enough by their rows or by their number, and too much when folds do not keep up', () => {
    const large = new Unfolded()
    large.add('a', figures(7999))
    expect([large.isEnough, large.isTooMuch]).toEqual([false, false])
    large.add('b', figures(1))
    expect([large.isEnough, large.isTooMuch]).toEqual([true, false])
    large.add('c', figures(16_000))
    expect([large.isEnough, large.isTooMuch]).toEqual([true, true])

    const many = new Unfolded()
    for (let batch = 0; batch < 16; batch++) many.add(`batch-${batch}`, figures(1))
    expect([many.isEnough, many.isTooMuch]).toEqual([true, false])
    for (let batch = 16; batch < 48; batch++) many.add(`batch-${batch}`, null)
    expect([many.isEnough, many.isTooMuch]).toEqual([true, true])
  })

  it('count once, however often they are added or taken away', () => {
    const unfolded = new Unfolded()
    unfolded.add('a', figures(8000))
    unfolded.add('a', figures(8000))
    unfolded.add('b', figures(10))
    unfolded.remove(['a', 'a', 'of another process'])
    expect([unfolded.isEnough, unfolded.isEmpty, unfolded.ids()]).toEqual([false, false, ['b']])
    expect([unfolded.figuresOf('a'), unfolded.figuresOf('b')]).toEqual([null, figures(10)])
    unfolded.remove(['b'])
    expect(unfolded.isEmpty).toBe(true)
  })
})
