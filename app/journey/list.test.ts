import { describe, expect, it } from 'vitest'
import { listOf, withFirst, withNext } from './list.ts'

const part = (letters: string, nextCursor: string | null = null) => ({ items: [...letters], nextCursor })
const self = (letter: string) => letter

describe('a list whose parts come one after another', () => {
  it('grows by the part that follows, each item once', () => {
    const list = withNext(listOf('u1', part('fed', 'd')), part('dcb', 'b'), self)
    expect(list).toMatchObject({ items: [...'fedcb'], nextCursor: 'b', isLonger: true })
  })

  it('keeps what is pushed out of its first part, and where it ended', () => {
    const long = withNext(listOf('u1', part('fed', 'd')), part('cb', 'b'), self)
    expect(withFirst(long, part('hgf', 'f'), self)).toMatchObject({ items: [...'hgfedcb'], nextCursor: 'b' })
    const short = withFirst(listOf('u1', part('fed', 'd')), part('gfe', 'e'), self)
    // The part after "e" contains "d" again, which must appear only once.
    expect(withNext(short, part('dc'), self).items).toEqual([...'gfedc'])
  })

  it('begins anew where nobody knows what lies between', () => {
    const long = withNext(listOf('u1', part('fed', 'd')), part('cb', 'b'), self)
    expect(withFirst(long, part('zyx', 'x'), self)).toEqual(listOf('u1', part('zyx', 'x')))
  })
})
