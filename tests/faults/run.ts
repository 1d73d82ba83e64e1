import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Fault, FaultReport, FaultRun } from './fault.ts'
import { endProcesses } from './shop-process.ts'

/** Runs one fault and judges what it left. Throws with seed and step when anything is not as it was promised. */
export async function runFault(
  fault: Fault,
  size: Pick<FaultRun, 'rounds' | 'seconds'>,
  seed: number,
  onStep: (text: string) => void = () => {},
): Promise<FaultReport> {
  const folders: string[] = []
  let step = 'start'
  try {
    const report = await fault.run({
      ...size,
      seed,
      folder() {
        const folder = mkdtempSync(join(tmpdir(), `veritas-${fault.id.toLowerCase()}-`))
        folders.push(folder)
        return folder
      },
      step(text) {
        step = text
        onStep(text)
      },
    })
    step = 'comparing'
    for (const { promised, faults } of report.comparisons) {
      if (faults.length > 0) throw new Error(faults.join('\n'))
      if (promised === 0) throw new Error('nothing was promised, so nothing was proven')
    }
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
    return report
  } catch (error) {
    const kept = folders.length > 0 ? ` Its data is kept in ${folders.join(', ')}.` : ''
    throw new Error(`${fault.id} failed. Seed ${seed}, step: ${step}.${kept}\n${(error as Error).stack}`, {
      cause: error,
    })
  } finally {
    await endProcesses()
  }
}
