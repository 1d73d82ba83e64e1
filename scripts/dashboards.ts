import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { grafanaFiles } from '../infra/grafana/files.ts'
import { AppError } from '../server/errors.ts'
import { command } from './open.ts'

const help = {
  about: `npm run dashboards [-- --check]

Writes the dashboards for Grafana and the rules for Prometheus (infra/grafana) from their code.

Options
  --check   write nothing, and say which files are not what their code makes
  --help    this text`,
  examples: ['npm run dashboards', 'npm run dashboards -- --check'],
  exits: {
    0: 'written, or all is as it should be',
    1: '--check found a file that is not, or one could not be written',
  },
} as const

const folder = new URL('../infra/grafana/', import.meta.url)

await command(help, async () => {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
  const old: string[] = []
  for (const [name, text] of Object.entries(grafanaFiles())) {
    const path = fileURLToPath(new URL(name, folder))
    if (values.check) {
      if (read(path) !== text) old.push(name)
      continue
    }
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    console.log(`infra/grafana/${name}`)
  }
  if (old.length > 0)
    throw new AppError('conflict', `Not what the code makes: ${old.join(', ')}. Write them with: npm run dashboards`)
})

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
