import { expect, it } from 'vitest'
import { createMemoryWal } from '../../ingest/wal/memory.ts'
import { createTelemetry } from '../telemetry.ts'
import { serverSources } from './sources.ts'

it('tells of no last export where none is ever made, so that no alarm misses it; a backup everybody should have', async () => {
  const telemetry = createTelemetry({ logLevel: 'silent' })
  const sources = serverSources({
    telemetry,
    wal: createMemoryWal(),
    admission: { open: true },
    deadLetters: { count: async () => 0 },
    limits: { bufferEvents: 1, walBytes: 1 },
    storeAnswers: async () => true,
    now: () => 0,
  })
  async function told(): Promise<Record<string, number>> {
    const values: Record<string, number> = {}
    for (const source of sources)
      await source((name, value) => {
        values[name] = value
      })
    return values
  }
  const before = await told()
  expect(before).not.toHaveProperty(['veritas.export.last_success'])
  expect(before['veritas.backup.last_success']).toBe(0)
  // Begun, and not done yet.
  telemetry.counters.jobs['export:default'] = { succeeded: 0, failed: 3, lastSuccessAt: null }
  expect((await told())['veritas.export.last_success']).toBe(0)
  telemetry.counters.jobs['export:default'] = { succeeded: 1, failed: 3, lastSuccessAt: 90_000 }
  telemetry.counters.jobs['export:second'] = { succeeded: 1, failed: 0, lastSuccessAt: 60_000 }
  expect((await told())['veritas.export.last_success']).toBe(60)
})
