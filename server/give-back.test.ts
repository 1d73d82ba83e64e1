import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { giveBack } from './give-back.ts'

const MB = 1024 * 1024

it('takes no more memory however often much is taken and given back', () => {
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  for (let times = 0; times < 200; times++) {
    const bytes = Buffer.allocUnsafeSlow(4 * MB)
    giveBack(bytes.subarray(MB))
    expect(bytes).toHaveLength(0)
    giveBack(bytes)
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  // V8 by itself lets 32 MB of it lie.
  expect(most).toBeLessThan(16 * MB)
})

it('leaves the pool of small buffers, however large it is', () => {
  const { poolSize } = Buffer
  try {
    Buffer.poolSize = 64 * 1024
    // The first ones fill up the pool that there was.
    const parts = Array.from({ length: 30 }, () => Buffer.from('x'.repeat(3000)))
    expect(parts.at(-1)!.buffer.byteLength).toBeGreaterThanOrEqual(64 * 1024)
    for (const part of parts) giveBack(part)
    for (const part of parts) expect(part.toString()).toBe('x'.repeat(3000))
  } finally {
    Buffer.poolSize = poolSize
  }
})

it('leaves what is small, and may share its memory', () => {
  for (const bytes of [Buffer.from('x'), Buffer.allocUnsafe(4000), gzipSync('x'), new Uint8Array(8192)]) {
    const { length } = bytes
    giveBack(bytes)
    expect(bytes).toHaveLength(length)
  }
  const shared = new Uint8Array(new SharedArrayBuffer(MB))
  giveBack(shared)
  expect(shared).toHaveLength(MB)
})
