/**
 * S: measures the disk by overwriting and syncing 4 KB of a zero-filled file, as the log does, with a pause after each.
 * Takes messages { folder, windowMs, pauseMs } and answers with the time of write + fdatasync in ms: { p50, p99, max,
 * syncs }.
 */
import { closeSync, fdatasync, fsyncSync, openSync, rmSync, write, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const BLOCK = 4096
const BLOCKS = 1024

async function measure({ folder, windowMs, pauseMs }) {
  const path = join(folder, 'sync-probe')
  const fd = openSync(path, 'w')
  try {
    writeSync(fd, Buffer.alloc(BLOCK * BLOCKS))
    fsyncSync(fd)
    const bytes = Buffer.alloc(BLOCK, 'v')
    const took = []
    const started = performance.now()
    while (performance.now() - started < windowMs) {
      const before = performance.now()
      await promisify(write)(fd, bytes, 0, BLOCK, (took.length % BLOCKS) * BLOCK)
      await promisify(fdatasync)(fd)
      took.push(performance.now() - before)
      await sleep(pauseMs)
    }
    took.sort((a, b) => a - b)
    const at = (share) => took[Math.max(0, Math.ceil(took.length * share) - 1)]
    return { p50: at(0.5), p99: at(0.99), max: at(1), syncs: took.length }
  } finally {
    closeSync(fd)
    rmSync(path)
  }
}

process.on('message', async (order) => process.send(await measure(order)))
process.on('disconnect', () => process.exit())
