import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Fault, FaultReport, FaultRun } from './fault.ts'
import { createShopProcess, type ShopProcess } from './shop-process.ts'

/** How much of what each server printed last goes with a failure. */
const PRINTED = 2000

/** Runs one fault and judges what it left. Throws with seed and step when anything is not as it was promised. */
export async function runFault(
  fault: Fault,
  size: Pick<FaultRun, 'rounds' | 'seconds'>,
  seed: number,
  onStep: (text: string) => void = () => {},
): Promise<FaultReport> {
  const folders: string[] = []
  const shops: ShopProcess[] = []
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
      async shop(dataDir, env, port) {
        const shop = await createShopProcess(dataDir, env, port)
        shops.push(shop)
        return shop
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
    const printed = shops.map((shop) => shop.output().slice(-PRINTED).trim()).filter((text) => text !== '')
    throw new Error(
      `${fault.id} failed. Seed ${seed}, step: ${step}.${kept}\n${(error as Error).stack}\n${printed.join('\n\n')}`,
      {
        cause: error,
      },
    )
  } finally {
    await Promise.all(shops.map((shop) => shop.stop('SIGKILL')))
  }
}
