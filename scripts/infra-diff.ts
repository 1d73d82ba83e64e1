import { parseArgs } from 'node:util'
import { compareSnapshots } from './infra/compare.ts'
import { ensurePlatform } from './infra/platform.ts'
import { command } from './open.ts'

const help = {
  about: `npm run infra:diff [-- --update]

Runs sst.config.ts as SST does, with mocks in the place of AWS, and prints how the resources of each installation in
infra/scenarios.ts differ from those in infra/snapshots. Needs no account. sst diff --stage NAME compares with AWS itself.

Options
  --update   write infra/snapshots anew, to be committed with the change
  --help     this text`,
  examples: ['npm run infra:diff', 'npm run infra:diff -- --update'],
  exits: { 0: 'nothing differs, or it was written with --update', 1: 'something differs or fails' },
} as const

await command(help, async () => {
  const { values } = parseArgs({ options: { update: { type: 'boolean', default: false } } })
  const missing = await ensurePlatform()
  if (missing) {
    console.error(`infra:diff: ${missing}.`)
    process.exitCode = 1
    return
  }
  const differing = await compareSnapshots({ isUpdate: values.update })
  if (differing === 0) return
  if (values.update) console.log('Written to infra/snapshots.')
  else {
    console.error('If this is what you want: npm run infra:diff -- --update, and commit infra/snapshots.')
    process.exitCode = 1
  }
})
