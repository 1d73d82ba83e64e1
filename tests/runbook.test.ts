import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** Every command of docs/operators.md is run here or by the test named here, or is marked as one for AWS or the box. */
const root = fileURLToPath(new URL('..', import.meta.url))
const text = readFileSync(join(root, 'docs/operators.md'), 'utf8')

interface Command {
  line: string
  where: 'here' | 'aws' | 'box'
}

const commands: Command[] = [...text.matchAll(/^ *```sh ?(\w*)\n([\s\S]*?)^ *```$/gm)].flatMap(([, mark, block]) =>
  block!
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => ({ line, where: (mark || 'here') as Command['where'] })),
)

/** Commands that other tests run; `in` is text by which the test is known to do so. */
const elsewhere: { command: RegExp; file: string; in: string }[] = [
  { command: /^npm ci( && npm run build)?$/, file: '.ci/run', in: 'npm ci' },
  { command: /^npm run infra:check$/, file: '.ci/run', in: 'npm run infra:check' },
  { command: /^STAGE=prod .* npm start -- --no-demo$/, file: 'tests/process.test.ts', in: 'STAGE' },
  { command: /^cp infra\/example\.env /, file: 'infra/settings.test.ts', in: 'example.env' },
  { command: /^npm run migrate -- /, file: 'tests/migrate.test.ts', in: 'migrate' },
  { command: /^npm run store -- status$/, file: 'tests/way-back.test.ts', in: 'status' },
  { command: /^npm run mongo -- status /, file: 'tests/mongo/command.test.ts', in: 'status' },
]

const run = promisify(execFile)
const here = commands.filter(
  ({ line, where }) => where === 'here' && !elsewhere.some(({ command }) => command.test(line)),
)
const folder = mkdtempSync(join(tmpdir(), 'veritas-runbook-'))
const dataDir = join(folder, 'data')

beforeAll(async () => {
  const args = ['--events', '3000', '--users', '200', '--days', '20', '--data-dir', dataDir]
  await run(process.execPath, ['--import', 'tsx', 'scripts/seed.ts', ...args], { cwd: root })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Folders of a real server become some of this test's own; the backup is the one that was just made. */
function onThisMachine(line: string): string {
  const backups = join(folder, 'backups')
  const made = existsSync(backups) ? readdirSync(backups).find((name) => name.endsWith('.tar.gz')) : undefined
  return line
    .replace(/\/var\/backups\/veritas\/veritas-\S+\.tar\.gz/, join(backups, made ?? 'none'))
    .replace('/var/backups/veritas', backups)
    .replace('/var/lib/veritas-restored', join(folder, 'restored'))
    .replace('/var/lib/veritas', dataDir)
}

describe('the runbook', () => {
  it('has commands of every kind', () => {
    for (const where of ['here', 'aws', 'box'])
      expect(commands.filter((command) => command.where === where).length).toBeGreaterThan(2)
    expect(here.length).toBeGreaterThan(8)
  })

  it.each(here)('$line', { timeout: 300_000 }, async ({ line }) => {
    const { PATH, HOME } = process.env
    const env = { PATH, HOME, DATA_DIR: dataDir, NODE_ENV: 'test' as const }
    const { stdout } = await run('bash', ['-c', onThisMachine(line)], { cwd: root, env })
    expect(stdout).not.toMatch(/^\s+at .*:\d+:\d+/m)
  })

  it('restored what it backed up', () => {
    expect(existsSync(join(folder, 'restored', 'veritas.db'))).toBe(true)
  })

  it.each(elsewhere)('$command is run by $file', ({ command, file, in: part }) => {
    expect(commands.some(({ line }) => command.test(line))).toBe(true)
    expect(readFileSync(join(root, file), 'utf8')).toContain(part)
  })

  it('asks on the box for scripts that are put there', () => {
    for (const { line } of commands.filter(({ where }) => where === 'box'))
      for (const [, script] of line.matchAll(/\/opt\/veritas\/bin\/(\S+)/g))
        expect(existsSync(join(root, 'infra/box', script!)), script).toBe(true)
  })

  it('asks on the box for npm commands that a release has', () => {
    const script = readFileSync(join(root, 'scripts/package.ts'), 'utf8')
    const packed = /^const operatorCommands = \[([^\]]+)\]/m.exec(script)?.[1]?.match(/[\w-]+/g) ?? []
    const lines = commands.filter(({ where }) => where === 'box').map(({ line }) => line)
    const told = [...text.matchAll(/`([^`]+)`\s+on the box/g)].map(([, command]) => command!)
    const asked = [...lines, ...told].flatMap((line) =>
      [...line.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name),
    )
    expect(asked).toEqual(expect.arrayContaining(['keys', 'setup-code']))
    for (const name of asked) expect(packed).toContain(name)
  })

  it('names npm commands that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    for (const [, script] of text.matchAll(/npm run ([\w:-]+)/g)) expect(Object.keys(scripts)).toContain(script)
  })

  it('says what to do for every alarm, under the heading that the alarm names', () => {
    const files = ['infra/alarms.ts', 'infra/alarm-rules.ts'].map((file) => readFileSync(join(root, file), 'utf8'))
    const valuesOf = (field: string) =>
      files.flatMap((file) =>
        [...file.matchAll(new RegExp(`^\\s+${field}: '([\\w-]+)'`, 'gm'))].map(([, value]) => value!),
      )
    const names = valuesOf('name')
    expect(names.length).toBeGreaterThan(15)
    for (const name of names) expect(text).toContain(`\`${name}\``)
    const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    )
    expect(valuesOf('runbook').length).toBeGreaterThan(8)
    for (const anchor of valuesOf('runbook')) expect(anchors).toContain(anchor)
  })
})
