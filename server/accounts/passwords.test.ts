import { expect, it } from 'vitest'
import { hashPassword, passwordMatches } from './passwords.ts'

it('checks as many as may wait, and asks the others to come back', async () => {
  const hash = await hashPassword('right')
  const answers = await Promise.allSettled(Array.from({ length: 40 }, () => passwordMatches(hash, 'right')))
  const refused = answers.filter((answer) => answer.status === 'rejected')
  expect(answers.filter((answer) => answer.status === 'fulfilled' && answer.value)).toHaveLength(32)
  expect(refused.map(({ reason }) => reason.status)).toEqual(Array(8).fill(503))
  expect(refused.every(({ reason }) => reason.retryAfterSeconds >= 1)).toBe(true)
  expect(await passwordMatches(hash, 'wrong')).toBe(false)
  expect(await passwordMatches(null, 'right')).toBe(false)
})
