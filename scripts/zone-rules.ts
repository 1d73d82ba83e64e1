import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import source from 'moment-timezone/data/packed/latest.json' with { type: 'json' }
import { command } from './open.ts'
import { print } from './print.ts'
import { zoneRules } from './zones/pack.ts'

const help = {
  about: `npm run zone-rules

Writes server/analysis/zone-rules.json anew from the time zone database that the package moment-timezone brings. New
rules come with a new version of it: npm install --save-dev --save-exact moment-timezone@latest, then this, then a
release. A server that starts with other rules counts the days that they change again (docs/operators.md).

Options
  --help   this text`,
  examples: ['npm run zone-rules'],
  exits: { 0: 'the file is written' },
} as const

await command(help, async () => {
  parseArgs({ options: {} })
  const file = fileURLToPath(new URL('../server/analysis/zone-rules.json', import.meta.url))
  const rules = zoneRules(source)
  writeFileSync(file, `${JSON.stringify(rules, null, 2)}\n`)
  print(`${Object.keys(rules.zones).length} zones, ${Object.keys(rules.links).length} other names: ${rules.version}`)
})
