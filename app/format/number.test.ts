import { describe, expect, it } from 'vitest'
import {
  changeOf,
  formatCompact,
  formatCount,
  formatDecimal,
  formatNumber,
  formatShare,
  plural,
  pointsChange,
  signedChange,
} from './number.ts'

describe('numbers', () => {
  it('groups counts and writes a true minus', () => {
    expect(formatCount(1234567)).toBe('1,234,567')
    expect(formatCount(0)).toBe('0')
    expect(formatCount(-1200)).toBe('−1,200')
  })

  it('says unknown instead of a number that is not there', () => {
    expect(formatDecimal(null)).toBe('–')
    expect(formatShare(null)).toBe('–')
    expect(formatDecimal(13.55, 1)).toBe('13.6')
    expect(formatShare(0.5466)).toBe('54.7%')
    expect(formatShare(0.02659, 2)).toBe('2.66%')
  })

  it('shortens axis labels', () => {
    expect([0, 500, 1500, 15_000, 1_200_000, 2e9].map(formatCompact)).toEqual(['0', '500', '1.5k', '15k', '1.2M', '2B'])
  })

  it('keeps the decimals a payload has', () => {
    expect(formatNumber(0.5)).toBe('0.5')
    expect(formatNumber(1234.5)).toBe('1,234.5')
  })

  it('counts in words', () => {
    expect(plural(1, 'event')).toBe('1 event')
    expect(plural(2100, 'event')).toBe('2,100 events')
  })
})

describe('changes', () => {
  it('is empty where there is nothing to compare with', () => {
    expect(changeOf(5, 0)).toBeNull()
    expect(changeOf(5, null)).toBeNull()
    expect(changeOf(null, 5)).toBeNull()
    expect(signedChange(null)).toBe('–')
  })

  it('says direction and size', () => {
    expect(changeOf(108.2, 100)).toEqual({ direction: 'up', text: '8.2%' })
    expect(signedChange(changeOf(98.1, 100))).toBe('−1.9%')
    expect(signedChange(changeOf(121.4, 100))).toBe('+21.4%')
    expect(changeOf(100.01, 100)).toEqual({ direction: 'same', text: '0.0%' })
  })

  it('states no absurd percentages', () => {
    expect(changeOf(10.99, 1.1)).toEqual({ direction: 'up', text: '899.1%' })
    expect(changeOf(200_000_000_000, 14_140)).toEqual({ direction: 'up', text: 'over 999%', isMore: true })
    expect(signedChange(changeOf(100, 1))).toBe('over +999%')
    expect(signedChange(changeOf(-100, 1))).toBe('over −999%')
    expect(signedChange(changeOf(-100, -1))).toBe('over +999%')
  })

  it('rounds a fall as it rounds a rise', () => {
    expect(signedChange(changeOf(3, 16))).toBe('−81.3%')
    expect(signedChange(changeOf(29, 16))).toBe('+81.3%')
    expect(signedChange(changeOf(-3, 16))).toBe('−118.8%')
    expect(pointsChange(0.10005, 0.1)).toEqual({ direction: 'up', text: '0.01 pp' })
    expect(pointsChange(0.1, 0.10005)).toEqual({ direction: 'down', text: '0.01 pp' })
  })

  it('states differences of shares in points', () => {
    expect(pointsChange(0.0266, 0.0285)).toEqual({ direction: 'down', text: '0.19 pp' })
    expect(pointsChange(0.1, null)).toBeNull()
  })
})
