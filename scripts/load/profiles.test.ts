import { describe, expect, it } from 'vitest'
import { adjusted, isProfileName, profiles, secondsOf } from './profiles.ts'

describe('load profiles', () => {
  it('are known by their names alone', () => {
    expect(['smoke', 'claim', 'realistic', 'spike', 'soak'].every(isProfileName)).toBe(true)
    expect(['toString', '', 'Claim'].some(isProfileName)).toBe(false)
  })

  it('keep the claim of the first Veritas', () => {
    expect(profiles.claim.stages).toEqual([{ eventsPerSecond: 10_000, seconds: 30 }])
    expect(profiles.claim.thresholds).toMatchObject({ http_req_duration: ['p(95)<50'], http_req_failed: ['rate==0'] })
  })

  it('keep their shape at another rate and length', () => {
    const small = adjusted(profiles.realistic, { rate: 200, seconds: 12, batch: 5 })
    expect(Math.max(...small.stages.map(({ eventsPerSecond }) => eventsPerSecond))).toBe(200)
    expect(small.stages[0]).toEqual({ eventsPerSecond: 15, seconds: 1 })
    expect(secondsOf(small)).toBeLessThan(16)
    expect(small).toMatchObject({ batch: 5, mixed: true, kind: 'shop' })
    expect(adjusted(profiles.soak, {})).toEqual(profiles.soak)
  })
})
