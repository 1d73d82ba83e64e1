import { describe, expect, it } from 'vitest'
import { profiles } from './profiles.ts'
import { isMet, type LoadReport, markdownOf } from './report.ts'

const report: LoadReport = {
  profile: 'claim',
  settings: profiles.claim,
  counts: {
    requests: 30_000,
    requestsPerSecond: 1000,
    unsent: 0,
    accepted: 300_000,
    refused: 0,
    refusedWithoutRetryAfter: 0,
    unanswered: 0,
    durationMs: { med: 1.25, 'p(95)': 12, 'p(99)': 40, max: 81.26 },
    thresholds: [{ name: 'http_req_duration', bound: 'p(95)<50', ok: true }],
  },
  truths: [{ what: 'accepted 300,000 = stored 300,000', ok: true }],
}

describe('the report of a load', () => {
  it('is met only when every threshold and every sum holds', () => {
    expect(isMet(report)).toBe(true)
    expect(isMet({ ...report, truths: [{ what: 'accepted 2 = stored 1', ok: false }] })).toBe(false)
    const slow = { ...report.counts, thresholds: [{ name: 'x', bound: 'p(95)<50', ok: false }] }
    expect(isMet({ ...report, counts: slow })).toBe(false)
  })

  it('tells figures with their units, and what did not hold', () => {
    const text = markdownOf({ ...report, truths: [{ what: 'accepted 2 = stored 1', ok: false }] })
    expect(text).toContain('## Load: claim — missed')
    expect(text).toContain('| events accepted | 300,000 (10,000/s) |')
    expect(text).toContain('| median, p95, p99, longest | 1.3 ms, 12.0 ms, 40.0 ms, 81.3 ms |')
    expect(text).toContain('| http_req_duration p(95)<50 | yes |')
    expect(text).toContain('| accepted 2 = stored 1 | **no** |')
  })
})
