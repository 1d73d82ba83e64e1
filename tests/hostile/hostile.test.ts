import { expect, it } from 'vitest'
import { hostileCases } from './cases.ts'
import { runHostile } from './run.ts'

const MAX_GROWTH_MB = 256
const MAX_MB = 512

it('knows many ways to do harm, each once', () => {
  expect(hostileCases.length).toBeGreaterThan(300)
  expect(new Set(hostileCases.map(({ name }) => name)).size).toBe(hostileCases.length)
})

it.each(['allow', 'refuse'] as const)(
  'nobody stops the server, loses events of others or learns what is inside: INGEST_KEYLESS=%s',
  async (keyless) => {
    const report = await runHostile({ keyless, aloneSeconds: 2, floodSeconds: 5, randomMs: 3000 })
    const { wrong, idleMb, peakMb, p95AloneMs, p95BesideMs, p95Ratio, idleConnections, randomRequests } = report
    console.log(
      `p95 ${p95AloneMs.toFixed(1)} ms alone, ${p95BesideMs.toFixed(1)} ms beside (${p95Ratio.toFixed(1)} x); memory ${idleMb.toFixed(0)} MB idle, ${peakMb.toFixed(0)} MB at most; ${idleConnections} idle connections, ${randomRequests} random requests`,
    )
    expect(wrong).toEqual([])
    expect(peakMb).toBeLessThanOrEqual(Math.min(MAX_MB, idleMb + MAX_GROWTH_MB))
    expect(report.honestEvents).toBeGreaterThan(0)
  },
)
