import { describe, expect, it } from 'vitest'
import { createRandom } from './random.ts'

describe('createRandom', () => {
  it('gives the same numbers for the same seeds and others for others', () => {
    const first = createRandom(7, 1)
    const same = createRandom(7, 1)
    const other = createRandom(7, 2)
    const numbers = Array.from({ length: 5 }, () => first.next())
    expect(Array.from({ length: 5 }, () => same.next())).toEqual(numbers)
    expect(Array.from({ length: 5 }, () => other.next())).not.toEqual(numbers)
  })

  it('is spread evenly even for neighbouring seeds', () => {
    const tenths = new Array<number>(10).fill(0)
    for (let seed = 0; seed < 20_000; seed++) tenths[Math.floor(createRandom(seed).next() * 10)]! += 1
    // 2,000 each; six standard deviations are 255.
    for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(255)
  })

  it('draws by weight', () => {
    const random = createRandom(3)
    const counts = { rare: 0, often: 0, never: 0 }
    for (let i = 0; i < 10_000; i++) {
      counts[
        random.weighted([
          [1, 'rare'],
          [9, 'often'],
          [0, 'never'],
        ] as const)
      ] += 1
    }
    expect(counts.never).toBe(0)
    expect(counts.rare).toBeGreaterThan(800)
    expect(counts.rare).toBeLessThan(1200)
  })

  it('keeps means and medians', () => {
    const random = createRandom(4)
    const waits = Array.from({ length: 20_000 }, () => random.exponential(5))
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length
    expect(mean).toBeGreaterThan(4.8)
    expect(mean).toBeLessThan(5.2)
    const durations = Array.from({ length: 20_001 }, () => random.logNormal(10, 0.8)).sort((a, b) => a - b)
    expect(durations[10_000]).toBeGreaterThan(9.6)
    expect(durations[10_000]).toBeLessThan(10.4)
  })
})
