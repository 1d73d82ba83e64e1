import { expect, it } from 'vitest'
import { issuesJson } from './issues.ts'

const issue = (n: number) => ({ path: `payload.items.${n}.name`, message: 'Invalid input' })

it('keeps the issues of an event to a few KB and says how many more there are', () => {
  const kept = JSON.parse(issuesJson(Array.from({ length: 43_200 }, (_, n) => issue(n)))!) as { message: string }[]
  expect(kept).toHaveLength(11)
  expect(kept.at(-1)).toEqual({ path: 'payload', message: 'and 43190 more' })
  expect(issuesJson([{ path: 'payload.'.repeat(1e5), message: '😀'.repeat(1e5) }])!.length).toBeLessThan(1000)
})

it('leaves those alone that are few', () => {
  expect(issuesJson(null)).toBeNull()
  const door = [...Array.from({ length: 10 }, (_, n) => issue(n)), { path: 'payload', message: 'and 4 more' }]
  expect(JSON.parse(issuesJson(door)!)).toEqual(door)
})
