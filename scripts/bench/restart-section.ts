import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../tests/free-port.ts'
import { end, spawnServer } from '../launch.ts'
import { count, type Finding, megabytes, ms, type SectionOptions } from './finding.ts'
import { median } from './machine.ts'
import { watchMemory } from './memory-watch.ts'
import { writeLog } from './ready-log.ts'

const MB = 1024 ** 2
/** How long to watch memory while the log is drained. */
const WATCH_MS = 4000
const POLL_MS = 5
const START_TIMEOUT_MS = 60_000

/** P11: startup time with 1 GB of events waiting, compared with an empty log. */
export async function restartSection({ quick }: SectionOptions) {
  const repeats = quick ? 1 : 3
  const dataDir = mkdtempSync(join(tmpdir(), 'veritas-bench-'))
  try {
    const empty = []
    for (let repeat = 0; repeat < repeats; repeat++) empty.push(await startOnce(dataDir))
    console.log('restart: writing the log …')
    const log = await writeLog(join(dataDir, 'wal'), { bytes: (quick ? 64 : 1024) * MB })
    const full = []
    for (let repeat = 0; repeat < repeats; repeat++) full.push(await startOnce(dataDir))
    const firstMs = median(full.map(({ acceptedMs }) => acceptedMs))
    const emptyMs = median(empty.map(({ acceptedMs }) => acceptedMs))
    const maxBytes = median(full.map((start) => start.maxBytes))
    const findings: Finding[] = [
      {
        target: 'P11',
        what: `first 202 after a start with ${count(log.bytes / MB)} MB in the log (empty: ${ms(emptyMs)})`,
        measured: ms(firstMs),
        goal: '<= 1,000 ms',
        met: firstMs <= 1000,
      },
      {
        target: 'P11',
        what: `memory in the first ${WATCH_MS / 1000} s`,
        measured: megabytes(maxBytes),
        goal: '<= 256 MB',
        met: maxBytes <= 256 * MB,
      },
    ]
    return { findings, log, empty, full }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** Time from starting the process to its first 202, in ms. Then kills it, so that the log stays full. */
async function startOnce(dataDir: string): Promise<{ acceptedMs: number; maxBytes: number }> {
  const port = await freePort()
  const started = performance.now()
  const child = spawnServer({ dataDir, args: ['--no-demo'], env: { LOG_LEVEL: 'error', PORT: String(port) } })
  const watch = watchMemory(child.pid!)
  try {
    // Retry until accepted, as a storefront would during a restart.
    while ((await postOne(port)) !== 202) {
      if (performance.now() - started > START_TIMEOUT_MS) throw new Error('No post was taken in time.')
      await sleep(POLL_MS)
    }
    const acceptedMs = performance.now() - started
    await sleep(WATCH_MS)
    return { acceptedMs, maxBytes: watch.stop().maxBytes }
  } finally {
    watch.stop()
    await end(child, 'SIGKILL')
  }
}

/** Posts once and resolves to the status; 0 if nothing listens on the port. */
function postOne(port: number): Promise<number> {
  return new Promise((resolve) => {
    const req = request({ host: '127.0.0.1', port, path: '/events', method: 'POST', agent: false }, (res) => {
      res.resume()
      res.on('end', () => resolve(res.statusCode ?? 0))
    })
    req.on('error', () => resolve(0))
    req.end('{"userId":"u","sessionId":"s","type":"page_view","payload":{"url":"/"}}')
  })
}
