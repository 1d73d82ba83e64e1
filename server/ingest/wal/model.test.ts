import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createRandom, type Random } from '../../demo/random.ts'
import { openDiskWal } from './disk.ts'
import { mortalFiles } from './mortal-files.ts'
import { decodeBlock } from './segment.ts'
import { createSimulatedDisk, type SimulatedDisk } from './simulated-disk.ts'
import type { Wal, WalBatch } from './wal.ts'

const DIR = '/wal'
const PAGE = 4096
const SEGMENT_BYTES = 4 * PAGE
const BOUNDS = { events: 12, bytes: 1e6 }

interface Process {
  /** null until it runs. */
  wal: Wal | null
  killed: Promise<null>
  kill(): void
}

/** What the store and the clients know. */
interface World {
  /** Answered frames with their events. */
  answered: Map<string, number>
  stored: Set<string>
  batches: Map<string, string[]>
}

const copyOf = ({ answered, stored, batches }: World): World => ({
  answered: new Map(answered),
  stored: new Set(stored),
  batches: new Map(batches),
})

/** A machine with one disk and any number of processes on it, and everything that can happen to them. */
class Machine {
  disk: SimulatedDisk = createSimulatedDisk()
  world: World = { answered: new Map(), stored: new Set(), batches: new Map() }
  readonly appended = new Set<string>()
  readonly living = new Map<number, Process>()
  lost = 0
  backup: { segments: Map<string, Buffer>; world: World } | null = null
  readonly #random: Random
  #pids = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** Resolves when it runs or cannot. */
  async start(): Promise<void> {
    const pid = ++this.#pids
    const { files, kill, killed } = mortalFiles(this.disk)
    const process: Process = {
      killed,
      wal: null,
      kill: () => {
        this.living.delete(pid)
        kill()
      },
    }
    this.living.set(pid, process)
    const opened = openDiskWal({
      dir: DIR,
      files,
      ackLevel: 'fsync',
      segmentBytes: SEGMENT_BYTES,
      switchBytes: 3 * SEGMENT_BYTES,
      adoptEveryMs: 5,
      owners: {
        heartbeatMs: 20,
        // Of an owner whose lock a power cut has emptied nothing can be known; a live one that is late loses its slot.
        silentMs: 40,
        facts: {
          self: () => ({ pid, startedAt: '1', bootId: 'boot', pidSpace: 'host' }),
          startOf: (other) => (this.living.has(other) ? '1' : undefined),
        },
      },
      report: (problem) => {
        if (problem.kind === 'lost') process.kill()
        else if (problem.kind === 'damaged') this.lost += problem.events
      },
    })
    // As a server does that cannot open its log.
    process.wal = await Promise.race([opened.catch(() => process.kill()), killed]).then((wal) => wal ?? null)
  }

  any(): Process | undefined {
    return this.living.size === 0 ? undefined : this.#random.pick([...this.living.values()])
  }

  get isRunning(): boolean {
    return [...this.living.values()].some(({ wal }) => wal !== null)
  }

  append(): void {
    const events = 1 + this.#random.int(5)
    const name = `frame ${this.appended.size}`
    this.appended.add(name)
    const payload = Buffer.from(`${name} ${'x'.repeat(this.#random.int(900))}`)
    const { world } = this
    void this.any()
      ?.wal?.append({ receivedAt: 1000 + this.appended.size, events, payload })
      .then(
        () => world.answered.set(name, events),
        () => {},
      )
  }

  async take(process: Process | undefined): Promise<WalBatch | null> {
    const { world } = this
    if (!process?.wal) return null
    const batch = await Promise.race([process.wal.next(BOUNDS).catch(() => null), process.killed])
    if (!batch) return null
    const names = batch.frames.map(({ payload }) => payload.toString().split(' ').slice(0, 2).join(' '))
    // Damage may have taken some of them since.
    const before = world.batches.get(batch.id) ?? names
    expect(before, `batch ${batch.id} came with other frames`).toEqual(expect.arrayContaining(names))
    world.batches.set(batch.id, before)
    for (const name of names) world.stored.add(name)
    await Promise.race([process.wal.ack(batch).catch(() => {}), process.killed])
    return batch
  }

  /** Whether the last process holds every slot that has a segment. */
  isAdopted(): boolean {
    const paths = this.disk.paths()
    const folders = new Set(
      paths.filter((path) => path.endsWith('.seg')).map((path) => path.slice(0, path.lastIndexOf('/'))),
    )
    return [...folders].every((folder) => {
      const locks = paths
        .filter((path) => path.startsWith(`${folder}/lock-`) && /\d$/.test(path))
        .map((path) => Number(path.split('-').at(-1)))
      if (locks.length === 0) return false
      const content = this.disk.bytesOf(`${folder}/lock-${Math.max(...locks)}`).toString()
      return content.includes(`"pid":${this.#pids},`)
    })
  }

  killAll(): void {
    for (const { kill } of [...this.living.values()]) kill()
  }

  makeBackup(): void {
    const paths = this.disk.paths().filter((path) => path.endsWith('.seg'))
    const segments = new Map(paths.map((path) => [path, this.disk.bytesOf(path)]))
    this.backup = { segments, world: copyOf(this.world) }
  }

  async restore(): Promise<void> {
    if (!this.backup) return
    this.killAll()
    this.disk = createSimulatedDisk()
    this.world = copyOf(this.backup.world)
    await this.disk.makeFolder(DIR)
    await this.disk.syncFolder('/')
    for (const [path, bytes] of this.backup.segments) {
      const folder = path.slice(0, path.lastIndexOf('/'))
      await this.disk.makeFolder(folder)
      await this.disk.syncFolder(DIR)
      const file = await this.disk.open(path, 'create')
      await file.write(bytes, 0)
      await file.sync()
      await this.disk.syncFolder(folder)
    }
  }

  powerCut(): void {
    this.killAll()
    this.disk = this.disk.afterPowerLoss(() => this.#random.next())
  }

  async removeLocks(): Promise<void> {
    for (const path of this.disk.paths()) if (path.includes('/lock-')) await this.disk.remove(path).catch(() => {})
  }

  /** Somewhere in what a segment is known to hold: how much there was of what nobody noted, nothing can tell. */
  damage(): void {
    this.killAll()
    const segments = this.disk.paths().filter((path) => path.endsWith('.seg'))
    const path = segments.length > 0 && this.#random.pick(segments)
    if (!path) return
    const bytes = this.disk.bytesOf(path)
    const told = decodeBlock<{ end: number }>(bytes, 2048) ?? decodeBlock<{ end: number }>(bytes, 1024)
    const labels = this.#random.chance(0.3)
    if (labels) this.disk.damage(path, (all) => all.fill(0x5a, 0, Math.min(1024, all.length)))
    if (labels || !told || told.end < 2 * PAGE) return
    const page = PAGE * (1 + this.#random.int(Math.floor(told.end / PAGE) - 1))
    if (this.#random.chance(0.5)) this.disk.makeUnreadable(path, page)
    else this.disk.damage(path, (all) => all.fill(0xa5, page, page + PAGE))
  }
}

type WeightedStep = [name: string, weight: number, run: () => unknown]

function pickStep(random: Random, steps: readonly WeightedStep[]): [string, () => unknown] {
  let left = random.next() * steps.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [name, weight, run] of steps) {
    left -= weight
    if (left < 0) return [name, run]
  }
  throw new Error('there is no step')
}

async function runSequence(seed: number): Promise<void> {
  const random = createRandom(seed, 12)
  const machine = new Machine(random)
  const done: string[] = []
  const steps: WeightedStep[] = [
    ['append', 40, () => machine.append()],
    ['take', 12, () => void machine.take(machine.any())],
    ['start', 6, () => machine.start()],
    ['start while others go on', 2, () => void machine.start()],
    ['kill', 3, () => machine.any()?.kill()],
    ['stop', 3, () => stop(machine)],
    ['power cut', 1, () => machine.powerCut()],
    ['backup', 2, () => machine.makeBackup()],
    ['restore', 1, () => machine.restore()],
    ['remove locks', 2, () => machine.removeLocks()],
    ['damage', 2, () => machine.damage()],
    ['a spare fails', 2, () => machine.disk.failNext('create', random.pick(['EMFILE', 'EIO', 'ENOSPC']))],
    ['a write fails', 1, () => machine.disk.failNext('write', random.pick(['EIO', 'ENOSPC']))],
    ['a sync fails', 1, () => machine.disk.failNext('sync', 'EIO')],
  ]
  await machine.start()
  for (let step = 0; step < 120; step++) {
    const [name, run] = pickStep(random, steps)
    done.push(name)
    await run()
    for (let turns = random.int(12); turns > 0; turns--) await setImmediate()
  }
  machine.killAll()
  while (!machine.isRunning) await machine.start()
  const last = machine.any()!
  // What was just adopted is being opened.
  for (let quiet = 0; quiet < 300; quiet++) {
    if ((await machine.take(last)) || last.wal!.waiting().events > 0 || !machine.isAdopted()) quiet = 0
    expect(machine.isRunning, `the last process lost its log: seed ${seed}`).toBe(true)
    await setImmediate()
  }
  machine.killAll()

  const { answered, stored } = machine.world
  const missing = [...answered].filter(([name]) => !stored.has(name))
  const missingEvents = missing.reduce((sum, [, events]) => sum + events, 0)
  const where = `seed ${seed}: ${done.filter((name) => name !== 'append' && name !== 'take').join(', ')}`
  expect(
    [...stored].filter((name) => !machine.appended.has(name)),
    where,
  ).toEqual([])
  if (missingEvents > machine.lost)
    expect(missing, `${machine.lost} counted as lost; ${where}; ${machine.disk.paths().join(' ')}`).toEqual([])
}

async function stop(machine: Machine): Promise<void> {
  const process = machine.any()
  if (!process?.wal) return
  await Promise.race([process.wal.close().catch(() => {}), process.killed])
  process.kill()
}

it('keeps what was answered, or counts it as lost, over any sequence of what can happen', async () => {
  for (let seed = 1; seed <= 12; seed++) await runSequence(seed)
})
