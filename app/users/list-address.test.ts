import { describe, expect, it } from 'vitest'
import { journeyAddress, listAddress, readListAddress } from './list-address.ts'

const read = (search: string) => readListAddress(new URLSearchParams(search))

describe("a list's address", () => {
  it('without anything is the last active, 50 a page', () => {
    expect(read('')).toEqual({ search: '', sort: 'lastActive', order: 'desc', pageSize: 50, cursor: null })
    expect(listAddress(read(''))).toBe('/users')
  })

  it('goes there and back', () => {
    const list = read('search=a%2Fb&sort=orders&order=asc&pageSize=25&cursor=abc')
    expect(read(listAddress(list, { cursor: list.cursor }).slice('/users?'.length))).toEqual(list)
  })

  it('begins anew when the sort changes', () => {
    expect(listAddress(read('cursor=abc'), { sort: 'orders' })).toBe('/users?sort=orders&order=desc')
  })

  it('takes nothing that no page would write', () => {
    expect(read('sort=password&order=up&pageSize=7')).toMatchObject({ sort: 'lastActive', order: 'desc', pageSize: 50 })
  })
})

describe("a journey's address", () => {
  it.each(['a/b?x', 'ü%', 'with space', '%2F', '#', '=cmd()'])('keeps the id %s', (userId) => {
    const { pathname, search, hash } = new URL(journeyAddress(userId), 'http://shop.example')
    expect([search, hash]).toEqual(['', ''])
    expect(decodeURIComponent(pathname.split('/')[2] ?? '')).toBe(userId)
  })

  it('remembers the list it came from', () => {
    const address = journeyAddress('u1', '?search=a%26b&sort=orders')
    expect(new URL(address, 'http://shop.example').searchParams.get('back')).toBe('search=a%26b&sort=orders')
  })
})
