import { existsSync } from 'node:fs'
import type { Telemetry } from '../../telemetry/telemetry.ts'
import { openDiskWal } from './disk.ts'
import { createMemoryWal } from './memory.ts'
import { createReadingWal } from './reading.ts'
import type { Wal } from './wal.ts'
import { withRest } from './with-rest.ts'

export interface WalSettings {
  dir: string
  ackLevel: 'fsync' | 'write' | 'memory'
  segmentBytes: number
  switchBytes: number
  /** Of this process: one that takes no events (web) only reads what others have waiting. */
  role: 'all' | 'ingest' | 'web'
}

/** The log between door and store; what goes wrong with it is told at once, and ends the process when nothing can be promised. */
export async function openWal(
  { ackLevel, role, ...wal }: WalSettings,
  { log, measures }: Pick<Telemetry, 'log' | 'measures'>,
): Promise<Wal> {
  if (role === 'web') return createReadingWal(wal.dir, ackLevel)
  const openDisk = (level: 'fsync' | 'write') =>
    openDiskWal({
      ...wal,
      ackLevel: level,
      onCommit({ events, tookMs }) {
        measures.commitSize.add(events)
        measures.commitDuration.add(tookMs / 1000)
      },
      report(problem) {
        if (problem.kind === 'damaged')
          log.error(problem, 'the log is damaged: these frames are lost, their segment is kept aside')
        else if (problem.kind === 'torn')
          log.warn(problem, 'the log ends in the middle of a commit that nobody was told of')
        else if (problem.kind === 'failed') log.error({ err: problem.error }, 'the log cannot be written')
        else log.fatal(problem, 'the log of this process was removed or taken over by another')
        if (problem.kind === 'lost') process.exit(1)
      },
    })
  if (ackLevel !== 'memory') return openDisk(ackLevel)
  // What was promised under another ack level may still be there.
  return existsSync(wal.dir) ? withRest(createMemoryWal(), await openDisk('fsync')) : createMemoryWal()
}
