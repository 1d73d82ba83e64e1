import { afterEach, describe, expect, it, vi } from 'vitest'
import { AppError } from '../errors.ts'
import { type Admission, type AdmissionParts, createAdmission } from './admission.ts'
import type { Waiting, Wal } from './wal/wal.ts'

const open: Admission[] = []
afterEach(() => {
  for (const admission of open.splice(0)) admission.close()
})

async function setUp(
  state: Partial<Waiting> & { uncommitted?: number; uncommittedBytes?: number; failing?: boolean },
  parts: Partial<AdmissionParts> = {},
) {
  const waiting: Waiting = { events: 0, bytes: 0, oldestAt: null, ...state }
  const wal = {
    waiting: () => waiting,
    uncommitted: () => state.uncommitted ?? 0,
    failing: () => state.failing ?? false,
    uncommittedBytes: () => state.uncommittedBytes ?? 0,
  } as Partial<Wal> as Wal
  const limits = { bufferEvents: 10_000, memoryBytes: 1e6, maxBytes: 1e9, maxAgeMs: 3_600_000 }
  const admission = await createAdmission({ wal, limits, now: () => 10_000_000, ...parts })
  open.push(admission)
  return { admission, waiting }
}

function refusal(admission: Admission, events: number, bytes = 1): AppError | null {
  try {
    admission.admit(events, bytes)
    return null
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

describe('admission', () => {
  it('takes a request that just fits and refuses one event more, as a whole', async () => {
    const { admission } = await setUp({ uncommitted: 9_960 })
    expect(refusal(admission, 40)).toBeNull()
    const error = refusal(admission, 41)
    expect(error?.status).toBe(429)
    expect(error?.retryAfterSeconds).toBeGreaterThanOrEqual(1)
    expect(error?.retryAfterSeconds).toBeLessThanOrEqual(5)
  })

  it('counts the whole request, so that one huge post cannot fill the buffer many times over', async () => {
    const { admission } = await setUp({})
    expect(refusal(admission, 150_000)?.code).toBe('rate_limited')
  })

  it('lets events wait in the log far beyond the buffer, up to its bytes', async () => {
    const { admission } = await setUp({ events: 1_000_000, bytes: 1e9 - 100 })
    expect(refusal(admission, 1, 100)).toBeNull()
    expect(refusal(admission, 1, 101)?.status).toBe(429)
  })

  it('bounds the bytes that are in memory only', async () => {
    const { admission } = await setUp({ uncommittedBytes: 1e6 - 100 })
    expect(refusal(admission, 1, 100)).toBeNull()
    expect(refusal(admission, 1, 101)?.status).toBe(429)
  })

  it('refuses when the oldest event has waited too long', async () => {
    const { admission, waiting } = await setUp({ events: 1, bytes: 1, oldestAt: 10_000_000 - 3_600_000 })
    expect(refusal(admission, 1)).toBeNull()
    waiting.oldestAt = 10_000_000 - 3_600_001
    expect(refusal(admission, 1)?.status).toBe(429)
    expect(admission.open).toBe(false)
  })

  it('refuses with 503 while the log cannot be written', async () => {
    const { admission } = await setUp({ failing: true })
    expect(refusal(admission, 1)).toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 })
    expect(admission.open).toBe(false)
  })

  it('refuses with 503 before the disk is full, and takes again when there is space', async () => {
    let free = 1000
    const { admission } = await setUp({ bytes: 4000 }, { freeBytes: async () => free, checkEveryMs: 5 })
    // Four fifths of 5,000 are 4,000.
    expect(refusal(admission, 1, 1)?.status).toBe(503)
    free = 2000
    await vi.waitFor(() => expect(refusal(admission, 1, 700)).toBeNull(), 60_000)
    expect(refusal(admission, 1, 900)?.status).toBe(503)
  })

  it('refuses everything with 503 once it drains', async () => {
    const { admission } = await setUp({})
    admission.drain()
    expect(refusal(admission, 1)?.status).toBe(503)
    expect(admission.open).toBe(false)
  })
})
