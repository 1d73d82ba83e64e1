import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { AppError } from '../server/errors.ts'
import { standIn } from '../tests/mongo/need.ts'
import { doorMutations } from './mutations/door.ts'
import { logMutations } from './mutations/log.ts'
import type { Mutation } from './mutations/mutation.ts'
import { storeMutations } from './mutations/stores.ts'
import { command } from './open.ts'

const mutations: readonly Mutation[] = [...logMutations, ...storeMutations, ...doorMutations]

const root = fileURLToPath(new URL('..', import.meta.url))
const TIMEOUT_MS = 300_000

const help = {
  about: `npm run mutations -- [part of a name …] [options]

Breaks lines that keep promises, one at a time and in a copy of the sources, and runs the test that guards each: it must
fail. A line that can be broken without a failure is told as SURVIVED, one that is not found any more as LINE IS GONE.

Options
  --list   what there is, and nothing is run
  --help   this text`,
  examples: ['npm run mutations -- --list', 'npm run mutations -- log'],
  exits: { 0: 'every broken line was found', 1: 'one was not, or could not be tried' },
} as const

/** Copies all files that Git tracks or would add, in their current state, and links node_modules. */
function copySources(): string {
  const folder = mkdtempSync(join(tmpdir(), 'veritas-mutations-'))
  const names = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' })
  for (const name of names.split('\0').filter((each) => each !== '')) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    cpSync(join(root, name), join(folder, name), { force: true })
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** Whether the test passes; a timeout counts as a failure. */
async function passes(folder: string, { test, only }: Pick<Mutation, 'test' | 'only'>): Promise<boolean> {
  const args = ['run', '--bail', '1', test]
  if (only !== undefined) args.push('-t', only.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const vitest = join(folder, 'node_modules/vitest/vitest.mjs')
  const child = spawn(process.execPath, [vitest, ...args], {
    cwd: folder,
    stdio: 'ignore',
    detached: true,
    // The default path of the stand-in is relative to the checkout, and does not exist beside the copy.
    env: { ...process.env, MONGO_STAND_IN: standIn },
  })
  const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), TIMEOUT_MS)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  return code === 0
}

type Result = 'killed' | 'SURVIVED' | 'LINE IS GONE' | 'FAILS UNBROKEN' | 'CANNOT BE RUN'

async function judge(folder: string, mutation: Mutation): Promise<Result> {
  const path = join(folder, mutation.file)
  const source = readFileSync(path, 'utf8')
  if (source.split(mutation.line).length !== 2) return 'LINE IS GONE'
  if (mutation.needs?.missing) return 'CANNOT BE RUN'
  if (!(await passes(folder, mutation))) return 'FAILS UNBROKEN'
  writeFileSync(
    path,
    source.replace(mutation.line, () => mutation.broken),
  )
  try {
    return (await passes(folder, mutation)) ? 'SURVIVED' : 'killed'
  } finally {
    writeFileSync(path, source)
  }
}

async function run(chosen: readonly Mutation[]): Promise<void> {
  const folder = copySources()
  const width = Math.max(...chosen.map(({ name }) => name.length))
  const results: Result[] = []
  try {
    for (const mutation of chosen) {
      const result = await judge(folder, mutation)
      results.push(result)
      const guard = mutation.only ? `${mutation.test} (${mutation.only})` : mutation.test
      console.log(`${result.padEnd(14)}  ${mutation.name.padEnd(width)}  ${guard}`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const bad = results.filter((result) => result !== 'killed').length
  console.log(bad === 0 ? `All ${results.length} were found.` : `${bad} of ${results.length} were not found.`)
  process.exitCode = bad === 0 ? 0 : 1
}

await command(help, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { list: { type: 'boolean', default: false } },
  })
  const chosen = mutations.filter(({ name }) => positionals.every((part) => name.includes(part)))
  if (chosen.length === 0)
    throw new AppError(
      'invalid_input',
      `No name has all of: ${positionals.join(', ')}. See npm run mutations -- --list.`,
    )
  if (values.list) for (const { name, file, test } of chosen) console.log(`${name}\n    ${file}, guarded by ${test}`)
  else await run(chosen)
})
