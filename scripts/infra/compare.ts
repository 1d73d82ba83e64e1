import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scenarios } from '../../infra/scenarios.ts'
import { differenceOf } from '../../infra/snapshot.ts'
import { execute } from './execute.ts'
import { root } from './platform.ts'

/** Runs sst.config.ts for every scenario and prints differences from infra/snapshots. Resolves to their number. */
export async function compareSnapshots({ isUpdate }: { isUpdate: boolean }): Promise<number> {
  let differing = 0
  const folder = join(root, 'infra/snapshots')
  mkdirSync(folder, { recursive: true })
  for (const scenario of scenarios) {
    const file = join(folder, `${scenario.stage}.txt`)
    const before = existsSync(file) ? readFileSync(file, 'utf8').replaceAll('\r\n', '\n') : ''
    const after = await execute(scenario)
    const count = after.split('\n').filter((line) => /^\S/.test(line)).length - 1
    if (before === after) {
      console.log(`${scenario.stage}: ${count} resources, as in infra/snapshots/${scenario.stage}.txt`)
      continue
    }
    differing++
    const { removed, added } = differenceOf(before, after)
    console.log(`${scenario.stage}: ${count} resources, not as in infra/snapshots/${scenario.stage}.txt`)
    for (const line of removed) console.log(`- ${line}`)
    for (const line of added) console.log(`+ ${line}`)
    if (removed.length + added.length === 0) console.log('  Only the order of lines is another.')
    if (isUpdate) writeFileSync(file, after)
  }
  return differing
}
