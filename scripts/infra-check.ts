import { parseArgs } from 'node:util'
import type { Environment } from '../infra/settings.ts'
import { compareSnapshots } from './infra/compare.ts'
import { execute } from './infra/execute.ts'
import { ensurePlatform, run } from './infra/platform.ts'
import { command } from './open.ts'

const help = {
  about: `npm run infra:check

Checks the stack without an account: installs SST's platform if it is not there (a minute), reads sst.config.ts and
infra/ with the types of the providers that SST runs (tsconfig.sst.json), runs sst.config.ts with mocks in the place of
AWS and compares the resources with infra/snapshots (npm run infra:diff).

Options
  --help   this text`,
  examples: ['npm run infra:check'],
  exits: {
    0: 'all is well, or the platform is missing and the package registry cannot be reached (a line says so)',
    1: 'something is wrong: lines say what',
  },
} as const

const TYPES_TIMEOUT_MS = 300_000

await command(help, async () => {
  parseArgs({ options: {} })
  const missing = await ensurePlatform()
  if (missing) {
    console.log(`Skipped infra:check: ${missing}.`)
    return
  }
  const { code, output } = await run(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.sst.json'], TYPES_TIMEOUT_MS)
  console.log(code === 0 ? 'Types: well' : `Types: NOT WELL\n${output.trim()}`)
  const refusal = await refusalOf({ VERITAS_STORE: 'x' })
  const isNamed = refusal.includes('VERITAS_STORE')
  console.log(isNamed ? 'A wrong setting: refused by its name' : `A wrong setting: NOT WELL\n${refusal}`)
  const differing = await compareSnapshots({ isUpdate: false })
  if (code === 0 && isNamed && differing === 0) return
  console.error(
    `infra:check: not well: ${[
      ...(code === 0 ? [] : ['types']),
      ...(isNamed ? [] : ['the refusal of a wrong setting']),
      ...(differing === 0 ? [] : ['resources (npm run infra:diff)']),
    ].join(', ')}.`,
  )
  process.exitCode = 1
})

/** The error message of sst.config.ts for wrong settings. */
async function refusalOf(environment: Environment): Promise<string> {
  try {
    await execute({ stage: 'wrong', environment })
    return 'It was taken.'
  } catch (error) {
    return (error as Error).message
  }
}
