import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoreKind } from '../store-kind.ts'
import type { Fault, FaultReport, FaultRun } from './fault.ts'
import { createShopProcess, type ShopProcess } from './shop-process.ts'
import { createStores } from './store.ts'

/** Number of characters of each server's last output to include in a failure. */
const PRINTED = 2000

export interface RunOptions extends Pick<FaultRun, 'rounds' | 'seconds' | 'seed'> {
  store: StoreKind
  onStep?: (text: string) => void
}

/** Runs one fault and checks the result. Throws with store, seed and step if any promise is broken. */
export async function runFault(fault: Fault, { store, onStep = () => {}, ...size }: RunOptions): Promise<FaultReport> {
  const folders: string[] = []
  const shops: ShopProcess[] = []
  const ends: (() => Promise<void>)[] = []
  const stores = createStores(store, fault.id)
  let step = 'start'
  let failed = true
  try {
    const report = await fault.run({
      ...size,
      folder() {
        const folder = mkdtempSync(join(tmpdir(), `veritas-${fault.id.toLowerCase()}-`))
        folders.push(folder)
        return folder
      },
      data: () => stores.create(),
      async shop({ dataDir, env }, more, port) {
        const shop = await createShopProcess(dataDir, { ...env, ...more }, port)
        shops.push(shop)
        return shop
      },
      step(text) {
        step = text
        onStep(text)
      },
      atEnd: (end) => ends.push(end),
    })
    step = 'comparing'
    for (const { promised, faults } of report.comparisons) {
      if (faults.length > 0) throw new Error(faults.join('\n'))
      if (promised === 0) throw new Error('nothing was promised, so nothing was proven')
    }
    failed = false
    return report
  } catch (error) {
    const kept = [...folders, ...(await stores.folders())]
    const where = kept.length > 0 ? ` Its data is kept in ${kept.join(', ')}.` : ''
    const printed = shops.map((shop) => shop.output().slice(-PRINTED).trim()).filter((text) => text !== '')
    throw new Error(
      `${fault.id} failed on ${store}. Seed ${size.seed}, step: ${step}.${where}\n${(error as Error).stack}\n${printed.join('\n\n')}`,
      {
        cause: error,
      },
    )
  } finally {
    await Promise.all(shops.map((shop) => shop.stop('SIGKILL')))
    for (const end of ends) await end()
    await stores.close({ keepData: failed })
    if (!failed) for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  }
}
