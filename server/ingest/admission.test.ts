import { describe, expect, it } from 'vitest'
import type { AppError } from '../errors.ts'
import { createAdmission } from './admission.ts'
import { createMemoryWal } from './wal/memory.ts'

async function walWith(events: number) {
  const wal = createMemoryWal()
  if (events > 0) await wal.append({ receivedAt: 1, events, payload: Buffer.alloc(1) })
  return wal
}

function refusal(action: () => void): AppError | null {
  try {
    action()
    return null
  } catch (error) {
    return error as AppError
  }
}

describe('admission', () => {
  it('takes a request that just fits and refuses one event more, as a whole', async () => {
    const admission = createAdmission(await walWith(60), { bufferEvents: 100 })
    expect(refusal(() => admission.admit(40))).toBeNull()
    const error = refusal(() => admission.admit(41))
    expect(error?.code).toBe('rate_limited')
    expect(error?.retryAfterSeconds).toBeGreaterThanOrEqual(1)
    expect(error?.retryAfterSeconds).toBeLessThanOrEqual(5)
  })

  it('counts the whole request, so that one huge post cannot fill the buffer many times over', async () => {
    const admission = createAdmission(await walWith(0), { bufferEvents: 10_000 })
    expect(refusal(() => admission.admit(150_000))?.code).toBe('rate_limited')
  })

  it('refuses everything with 503 once it drains', async () => {
    const admission = createAdmission(await walWith(0), { bufferEvents: 100 })
    admission.drain()
    expect(refusal(() => admission.admit(1))?.status).toBe(503)
  })
})
