import { hostname } from 'node:os'
import { performance } from 'node:perf_hooks'
import type { Admission } from '../../ingest/admission.ts'
import type { Wal } from '../../ingest/wal/wal.ts'
import type { Doubted } from '../../writer/proofs.ts'
import { balance } from '../system.ts'
import type { Telemetry } from '../telemetry.ts'
import { type Board, createBoard, type ProcessFigures } from './board.ts'
import { createHistory } from './history.ts'

const SAMPLE_MS = 2000

export interface FiguresParts {
  /** Folder in which the processes of this data folder tell each other of themselves. */
  dir: string
  telemetry: Telemetry
  wal: Wal
  admission: Pick<Admission, 'open'>
  doubted: () => Doubted[]
  role: ProcessFigures['role']
  version: string
  now: () => number
}

/** Tells the other processes on the data folder what this one does, and hears of them. */
export function tellFigures(parts: FiguresParts): Board {
  const { dir, telemetry, wal, admission, doubted, role, version, now } = parts
  const { counters, measures } = telemetry
  const history = createHistory({ counters, measures, now })
  const startedAt = now()
  let utilization = performance.eventLoopUtilization()
  let busy = 0
  const timer = setInterval(() => {
    history.sample()
    const until = performance.eventLoopUtilization()
    busy = performance.eventLoopUtilization(until, utilization).utilization
    utilization = until
  }, SAMPLE_MS)
  timer.unref()

  function own(): ProcessFigures {
    return {
      host: hostname(),
      pid: process.pid,
      role,
      version,
      startedAt,
      at: now(),
      balance: balance(counters, wal),
      waiting: wal.waiting(),
      accepting: admission.open,
      doubted: doubted(),
      flushFailures: counters.flushFailures,
      activeFlushes: counters.activeFlushes,
      memoryBytes: process.memoryUsage.rss(),
      busy,
      ...history.figures(),
    }
  }

  const board = createBoard({ dir, own, now })
  return {
    read: board.read,
    async close() {
      clearInterval(timer)
      await board.close()
    },
  }
}
