/**
 * Loaded into a server before its own code (NODE_OPTIONS=--import …) to measure event loop stalls. On SIGUSR2 it prints
 * "loop-probe WALL CPU" in ms: the longest stall since the last signal by the clock, and the most CPU time in one.
 * A stall caused by other programs has wall time but little CPU time.
 */
import { readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const TICK_MS = 1

if (isMainThread) {
  const file = `/proc/${process.pid}/task/${process.pid}/schedstat`
  const cpuMs = () => Number(readFileSync(file, 'latin1').split(' ', 1)[0]) / 1e6
  let last = { wall: performance.now(), cpu: cpuMs() }
  let longest = { wall: 0, cpu: 0 }
  setInterval(() => {
    const now = { wall: performance.now(), cpu: cpuMs() }
    const wall = now.wall - last.wall - TICK_MS
    longest = { wall: Math.max(longest.wall, wall), cpu: Math.max(longest.cpu, Math.min(wall, now.cpu - last.cpu)) }
    last = now
  }, TICK_MS).unref()
  process.on('SIGUSR2', () => {
    console.log(`loop-probe ${Math.max(0, longest.wall)} ${Math.max(0, longest.cpu)}`)
    longest = { wall: 0, cpu: 0 }
  })
}
