import { expect, it } from 'vitest'
import { createOptionCheck } from './options.ts'

it('takes whole numbers in plain digits, and what was not given', () => {
  const check = createOptionCheck()
  const bounds = { min: 0, max: 1000, otherwise: null }
  expect(check.whole('--rate', '0', bounds)).toBe(0)
  expect(check.whole('--rate', '1000', bounds)).toBe(1000)
  expect(check.whole('--rate', undefined, bounds)).toBeNull()
  check.assertRight()
})

it.each(['1e300', '1e2', 'NaN', 'Infinity', '-1', '+1', '0x10', '0b1', '1.5', ' 1', '', '1001', '9'.repeat(400)])(
  'refuses %j by the name of its option',
  (text) => {
    const check = createOptionCheck()
    check.whole('--rate', text, { min: 0, max: 1000, otherwise: null })
    expect(() => check.assertRight()).toThrow(`--rate ${text}: must be a whole number from 0 to 1,000.`)
  },
)

it('tells all that is wrong together', () => {
  const check = createOptionCheck()
  check.refuse('--from: say which backup.')
  check.whole('--rate', 'x', { min: 1, max: 9, otherwise: 1 })
  expect(() => check.assertRight()).toThrow('--from: say which backup.\n--rate x: must be a whole number from 1 to 9.')
})
