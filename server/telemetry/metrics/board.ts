import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Balance } from '../../../trpc/schema/system.ts'
import type { Doubted } from '../../writer/proofs.ts'
import type { RecentFigures } from './history.ts'

/** What a process tells the others on its data folder, so that a page of one can show all. */
export interface ProcessFigures extends RecentFigures {
  host: string
  pid: number
  role: 'all' | 'ingest' | 'web'
  version: string
  startedAt: number
  /** When this was written. */
  at: number
  balance: Balance
  waiting: { events: number; bytes: number; oldestAt: number | null }
  accepting: boolean
  /** Events that fail in the store like all others of their type and month, and wait. */
  doubted: Doubted[]
  flushFailures: number
  activeFlushes: number
  memoryBytes: number
  /** Share of the time in which the loop worked since the figures before, 0 to 1. */
  busy: number
}

export interface Board {
  /** Those of every process that wrote within STALE_MS, the own as of now first. */
  read(): Promise<ProcessFigures[]>
  close(): Promise<void>
}

/** Goes up with every change of the figures: those of another form are left out, as while a release takes over. */
const FORM = 4

/** How often a process tells. */
const TELL_MS = 2000
/** A process that told nothing for so long is gone. */
const STALE_MS = 15_000
/** Files of killed processes are removed after this. */
const REMOVE_MS = 600_000

/** A file a process in a folder, rewritten every TELL_MS and removed at its end. Nothing is wrong where it cannot be written. */
export function createBoard({
  dir,
  own,
  now,
  tellMs = TELL_MS,
}: {
  dir: string
  own: () => ProcessFigures
  now: () => number
  tellMs?: number
}): Board {
  const name = `${hostname()}-${process.pid}.json`
  const path = join(dir, name)
  let telling: Promise<void> = Promise.resolve()

  async function tell(): Promise<void> {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    await writeFile(`${path}.new`, JSON.stringify({ form: FORM, ...own() }), { mode: 0o600 })
    await rename(`${path}.new`, path)
  }
  const tellInTurn = () => {
    telling = telling.then(tell).catch(() => {})
  }
  tellInTurn()
  const timer = setInterval(tellInTurn, tellMs)
  timer.unref()

  return {
    async read() {
      return [own(), ...(await readFigures(dir, now(), name))]
    },
    async close() {
      clearInterval(timer)
      await telling
      await rm(path, { force: true }).catch(() => {})
    },
  }
}

/** What the processes of a folder told within STALE_MS, but for the file `but`. */
export async function readFigures(dir: string, now: number, but = ''): Promise<ProcessFigures[]> {
  const files = await readdir(dir).catch((): string[] => [])
  const told = await Promise.all(
    files.filter((file) => file.endsWith('.json') && file !== but).map((file) => readOne(join(dir, file), now)),
  )
  return told.filter((figures) => figures !== null)
}

async function readOne(path: string, now: number): Promise<ProcessFigures | null> {
  try {
    const told = JSON.parse(await readFile(path, 'utf8')) as { form?: number } & ProcessFigures
    const { form, ...figures } = told
    const age = now - figures.at
    if (age > REMOVE_MS) await rm(path, { force: true })
    return age <= STALE_MS && form === FORM ? figures : null
  } catch {
    return null
  }
}
