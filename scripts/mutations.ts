import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/** A line that keeps a promise, what it is broken into, and the test that must fail then. */
interface Mutation {
  name: string
  file: string
  /** Exactly once in the file. */
  line: string
  broken: string
  test: string
  /** Part of the test's name; without it the whole file is run. */
  only?: string
}

const WAL = 'server/ingest/wal'
const mutations: readonly Mutation[] = [
  {
    name: 'a commit is synced before it is answered',
    file: `${WAL}/group-commit.ts`,
    line: "if (ackLevel === 'fsync') await segment.file.sync()",
    broken: "if (ackLevel === 'fsync') void segment.file",
    test: `${WAL}/slot-log.test.ts`,
    only: 'F4',
  },
  {
    name: 'a batch is written down before it is handed out',
    file: `${WAL}/slot-log.ts`,
    line: '      await saveCheckpoint()\n    } catch (error) {\n      advanced.undo()',
    broken: '      await null\n    } catch (error) {\n      advanced.undo()',
    test: `${WAL}/slot-log.test.ts`,
    only: 'F2: survives a kill',
  },
  {
    name: 'frames go once a checkpoint says that they are stored',
    file: `${WAL}/slot-log.ts`,
    line: '    await saveCheckpoint()\n    await forget(stored)',
    broken: '    await forget(stored)\n    await saveCheckpoint()',
    test: `${WAL}/slot-log.test.ts`,
    only: 'F2: survives a kill',
  },
  {
    name: 'a new owner counts on from all that is in the folder',
    file: `${WAL}/slots.ts`,
    line: '1 + Math.max(await newestUse(folder), newest ?? 0)',
    broken: '1 + (newest ?? 0)',
    test: `${WAL}/restored.test.ts`,
    only: 'two starts more',
  },
  {
    name: 'a segment that was passed over is handed out',
    file: `${WAL}/slot-log.ts`,
    line: 'checkpoint.state && wasPassedOver(segment, checkpoint.state)',
    broken: 'checkpoint.state && !segment',
    test: `${WAL}/restored.test.ts`,
    only: 'place was handed out before',
  },
  {
    name: 'an owner that was replaced acknowledges nothing',
    file: `${WAL}/group-commit.ts`,
    line: 'if (options.isHeld && !(await options.isHeld())) throw new Lost()',
    broken: '',
    test: `${WAL}/restored.test.ts`,
    only: 'two owners',
  },
  {
    name: 'the folder of a slot survives a power cut',
    file: `${WAL}/slots.ts`,
    line: 'await files.syncFolder(dir)',
    broken: '',
    test: `${WAL}/restored.test.ts`,
    only: 'survives a power cut',
  },
  {
    name: 'a payload is held against its checksum',
    file: `${WAL}/segment.ts`,
    line: 'if (!payloadHolds(header, payload, salt))',
    broken: 'if (payload === null)',
    test: `${WAL}/damage.test.ts`,
    only: 'a flipped bit',
  },
  {
    name: 'reading goes on behind damage',
    file: `${WAL}/segment.ts`,
    line: 'const found = findFrame(buffer, at + 8, salt)',
    broken: 'const found = null as number | null',
    test: `${WAL}/damage.test.ts`,
    only: 'a page that cannot be read',
  },
  {
    name: 'reading goes on behind a frame that does not hold',
    file: `${WAL}/segment.ts`,
    line: 'result.gaps.push({ from: base + at, end: base + end, header })',
    broken: 'break',
    test: `${WAL}/damage.test.ts`,
    only: 'a flipped bit',
  },
  {
    name: 'what damage took away is counted',
    file: `${WAL}/slot-log.ts`,
    line: '    lostEvents += lost\n    return lost',
    broken: '    return lost',
    test: `${WAL}/damage.test.ts`,
    only: 'a flipped bit',
  },
  {
    name: 'a page that cannot be read is stepped over',
    file: `${WAL}/read-pages.ts`,
    line: "return UNREADABLE.includes((error as NodeJS.ErrnoException).code ?? '')",
    broken: 'return error === null',
    test: `${WAL}/damage.test.ts`,
    only: 'a page that cannot be read',
  },
  {
    name: 'labels that are gone are found out',
    file: `${WAL}/open-segments.ts`,
    line: 'head.id === null ? await findSalt(file, size) : saltOf(head.id)',
    broken: 'head.id === null ? null : saltOf(head.id)',
    test: `${WAL}/damage.test.ts`,
    only: 'labels that are gone',
  },
  {
    name: 'each event is counted once at every moment',
    file: `${WAL}/slot-log.ts`,
    line: '      ahead.events -= events\n      const lost',
    broken: '      setTimeout(() => {\n        ahead.events -= events\n      }, 1)\n      const lost',
    test: `${WAL}/waiting.test.ts`,
  },
  {
    name: 'a spare segment that failed is made when it is needed',
    file: `${WAL}/group-commit.ts`,
    line: '(await made?.catch(() => null)) ?? makeSegment()',
    broken: '(await made) ?? makeSegment()',
    test: `${WAL}/group-commit.test.ts`,
    only: 'while it is waited for',
  },
  {
    name: 'an empty log is not asked again at once',
    file: 'server/writer/writer.ts',
    line: 'if (batch || closing.signal.aborted) return schedule()',
    broken: 'return schedule()',
    test: 'server/writer/writer.test.ts',
    only: 'nothing to hand out',
  },
  {
    name: 'a store that is away makes no event look guilty',
    file: 'server/writer/run-batch.ts',
    line: "return error instanceof AppError && error.code === 'unavailable' && !error.suspectsInput",
    broken: 'return error === null',
    test: 'server/writer/writer.test.ts',
    only: 'fault of an event',
  },
  {
    name: 'letters are kept before their batch is acknowledged',
    file: 'server/writer/writer.ts',
    line: "await retry(() => parts.deadLetters.add(letters).then(() => true), 'dead letters')",
    broken: 'true',
    test: 'server/writer/writer.test.ts',
    only: 'as a dead letter with its reason',
  },
  {
    name: 'an event id is stored once (SQLite)',
    file: 'server/store/sqlite/write/insert-batch.ts',
    line: 'if (db.run(INSERT_EVENT_ID, site.siteNo, eventId, month) === 0) {',
    broken: 'if (db.run(INSERT_EVENT_ID, site.siteNo, eventId, month) === -1) {',
    test: 'server/store/sqlite/write/insert-batch.test.ts',
  },
  {
    name: 'a batch that the store has changes nothing (SQLite)',
    file: 'server/store/sqlite/write/insert-batch.ts',
    line: 'findOutcome(db, batch) ?? insert(db, known, batch)',
    broken: 'insert(db, known, batch)',
    test: 'server/store/sqlite/write/insert-batch.test.ts',
  },
  {
    name: 'a batch that failed leaves nothing in memory (SQLite)',
    file: 'server/store/sqlite/write/insert-batch.ts',
    line: '    known.forget()\n',
    broken: '\n',
    test: 'server/store/sqlite/write/insert-batch.test.ts',
    only: 'leaves nothing behind',
  },
]

const root = fileURLToPath(new URL('..', import.meta.url))
const TIMEOUT_MS = 300_000

const help = `npm run mutations -- [part of a name …] [options]

Breaks lines that keep promises, one at a time and in a copy of the sources, and runs the test that guards each: it must
fail. A line that can be broken without a failure is told as SURVIVED, and the command ends with 1.

Options
  --list   what there is, and nothing is run
  --help   this text`

function options() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { list: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    })
  } catch (error) {
    console.error(`${(error as Error).message} See npm run mutations -- --help.`)
    process.exit(2)
  }
}

/** What git knows of and would take, as it is now, with the packages of this folder. */
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

/** Whether the test passes; one that takes too long does not. */
async function passes(folder: string, { test, only }: Pick<Mutation, 'test' | 'only'>): Promise<boolean> {
  const args = ['run', '--project', 'unit', '--bail', '1', test]
  if (only !== undefined) args.push('-t', only.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const vitest = join(folder, 'node_modules/vitest/vitest.mjs')
  const child = spawn(process.execPath, [vitest, ...args], { cwd: folder, stdio: 'ignore', detached: true })
  const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), TIMEOUT_MS)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  return code === 0
}

type Result = 'killed' | 'SURVIVED' | 'LINE IS GONE' | 'FAILS UNBROKEN'

async function judge(folder: string, mutation: Mutation): Promise<Result> {
  const path = join(folder, mutation.file)
  const source = readFileSync(path, 'utf8')
  if (source.split(mutation.line).length !== 2) return 'LINE IS GONE'
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

const { values, positionals } = options()
const chosen = mutations.filter(({ name }) => positionals.every((part) => name.includes(part)))
if (values.help) console.log(help)
else if (chosen.length === 0) {
  console.error(`No name has all of: ${positionals.join(', ')}. See npm run mutations -- --list.`)
  process.exitCode = 2
} else if (values.list)
  for (const { name, file, test } of chosen) console.log(`${name}\n    ${file}, guarded by ${test}`)
else await run(chosen)
