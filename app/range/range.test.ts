import { describe, expect, it } from 'vitest'
import { historyDays, presets, readView, shiftedDays, withParams } from './range.ts'

const today = '2026-11-23'
const view = (search: string) => readView(new URLSearchParams(search), today)

describe('the view of an address', () => {
  it('is the last 30 days against the ones before, by day', () => {
    expect(view('')).toEqual({
      preset: '30d',
      from: '2026-10-25',
      to: today,
      compare: 'previous',
      interval: 'day',
      by: 'day',
      notice: null,
    })
  })

  it.each([
    ['today', '2026-11-23', '2026-11-23'],
    ['yesterday', '2026-11-22', '2026-11-22'],
    ['7d', '2026-11-17', '2026-11-23'],
    ['90d', '2026-08-26', '2026-11-23'],
    // The 23rd is a Monday.
    ['week', '2026-11-23', '2026-11-23'],
    ['month', '2026-11-01', '2026-11-23'],
    ['last-month', '2026-10-01', '2026-10-31'],
    ['all', null, null],
  ])('knows ?range=%s', (range, from, to) => {
    expect(view(`range=${range}`)).toMatchObject({ preset: range, from, to, notice: null })
  })

  it('ends last month right in January and in March of a leap year', () => {
    expect(presets['last-month'].days('2026-01-05')).toEqual(['2025-12-01', '2025-12-31'])
    expect(presets['last-month'].days('2028-03-31')).toEqual(['2028-02-01', '2028-02-29'])
  })

  it('takes days, one of them or both', () => {
    expect(view('from=2026-01-01&to=2026-01-31')).toMatchObject({ preset: null, from: '2026-01-01', to: '2026-01-31' })
    expect(view('from=2026-11-01')).toMatchObject({ from: '2026-11-01', to: today })
    expect(view('to=2026-11-01')).toMatchObject({ from: '2026-11-01', to: '2026-11-01' })
  })

  it.each([
    'from=abc',
    'from=2026-02-30',
    'from=2026-11-10&to=2026-11-01',
    'from=1990-01-01&to=2026-01-01',
    'range=forever',
  ])('says what is wrong with ?%s and shows the last 30 days', (search) => {
    const { preset, notice } = view(search)
    expect(preset).toBe('30d')
    expect(notice).toMatch(/These are the last 30 days\.$/)
  })

  it('chooses an interval for the length and refuses hours of a long one', () => {
    expect(view('range=today').interval).toBe('hour')
    expect(view('from=2025-01-01&to=2025-12-31').interval).toBe('week')
    expect(view('range=90d&interval=hour').interval).toBe('day')
    expect(view('from=2024-11-23&to=2026-11-22&interval=day').interval).toBe('day')
    expect(view('from=2024-11-20&to=2026-11-22&interval=day').interval).toBe('week')
    expect(view('range=30d&interval=hour').interval).toBe('hour')
    expect(view('interval=week').interval).toBe('week')
    expect(view('interval=minute').interval).toBe('day')
  })

  it('compares only as it knows how to', () => {
    expect(view('compare=year').compare).toBe('year')
    expect(view('compare=none').compare).toBe('none')
    expect(view('compare=toString').compare).toBe('previous')
  })
})

describe('all time', () => {
  it('is from the first day with events to today, or to a day ahead that has some', () => {
    const days = (firstDay: string | null, lastDay: string | null) => historyDays({ firstDay, lastDay }, today)
    expect(days('2026-01-02', '2026-11-20')).toEqual({ from: '2026-01-02', to: today, tooLong: false })
    expect(days('2026-01-02', '2026-11-24')).toEqual({ from: '2026-01-02', to: '2026-11-24', tooLong: false })
    expect(days('2026-11-24', '2026-11-24')).toEqual({ from: today, to: '2026-11-24', tooLong: false })
    expect(days(null, null)).toEqual({ from: today, to: today, tooLong: false })
    expect(days('1970-01-01', today)).toEqual({ from: '2016-11-16', to: today, tooLong: true })
  })
})

describe('other periods', () => {
  it('go back and forward by their length, not past today', () => {
    expect(shiftedDays('2026-11-10', '2026-11-16', -1, today)).toEqual({ from: '2026-11-03', to: '2026-11-09' })
    expect(shiftedDays('2026-11-10', '2026-11-16', 1, today)).toEqual({ from: '2026-11-17', to: '2026-11-23' })
    expect(shiftedDays('2026-11-17', '2026-11-23', 1, today)).toBeNull()
  })

  it('of months are whole months', () => {
    expect(shiftedDays('2026-10-01', '2026-10-31', -1, today)).toEqual({ from: '2026-09-01', to: '2026-09-30' })
    expect(shiftedDays('2026-10-01', '2026-10-31', 1, today)).toEqual({ from: '2026-11-01', to: '2026-11-30' })
    expect(shiftedDays('2026-11-01', '2026-11-23', -1, today)).toEqual({ from: '2026-10-01', to: '2026-10-31' })
    expect(shiftedDays('2026-01-01', '2026-03-31', -1, today)).toEqual({ from: '2025-10-01', to: '2025-12-31' })
    expect(shiftedDays('2026-02-01', '2026-02-28', -1, today)).toEqual({ from: '2026-01-01', to: '2026-01-31' })
    expect(shiftedDays('2026-11-01', '2026-11-30', 1, today)).toBeNull()
    expect(shiftedDays('2026-11-01', '2026-11-01', -1, '2026-11-01')).toEqual({ from: '2026-10-31', to: '2026-10-31' })
  })

  it('keep what they do not change in the address', () => {
    expect(withParams('?compare=year&range=7d', { range: null, from: '2026-11-01' })).toBe(
      '?compare=year&from=2026-11-01',
    )
    expect(withParams('?range=7d', { range: null })).toBe('?')
  })
})
