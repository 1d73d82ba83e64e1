import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmdirSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom, type Random } from '../../server/demo/random.ts'
import { diskFiles, type LogFile, type LogFiles } from '../../server/ingest/wal/files.ts'
import { eventually } from '../shop.ts'
import { compareStore } from './compare.ts'
import { openDoor } from './door.ts'
import { ensure, type Fault } from './fault.ts'
import { startLoad } from './load.ts'
import { Obligations } from './obligations.ts'
import { health, settled } from './shop-process.ts'
import { sqliteData } from './store.ts'

const MIB = 1024 * 1024

/** Writes and syncs of the log fail at random, in this process. */
export const faultyDisk: Fault = {
  id: 'F8',
  title: 'EIO and ENOSPC from writes and syncs of the log, through its port',
  short: { rounds: 1, seconds: 2 },
  long: { rounds: 1, seconds: 60 },
  async run({ seed, seconds, data, step }) {
    const own = await data()
    const obligations = new Obligations()
    const faults = { probability: 0, thrown: 0 }
    const door = await openDoor({ data: own, files: faultyFiles(createRandom(seed, 8), faults) })
    step('disk faulty under load')
    const load = startLoad({
      seed,
      obligations,
      port: () => door.port,
      clients: 8,
      eventsPerSecond: 1000,
      retrying: 0.5,
    })
    faults.probability = 0.05
    await sleep(seconds * 1000)
    await eventually(async () => ensure(load.counts.refused > 0, 'no fault has refused a request'))
    faults.probability = 0
    step('disk well again')
    const counts = await load.stop()
    await door.settled()
    ensure(counts.wrong.length === 0, `wrong answers: ${counts.wrong[0]}`)
    ensure(faults.thrown > 0 && counts.refused > 0, `${faults.thrown} faults refused ${counts.refused} requests`)
    await door.close()
    const { accepted, refused } = counts
    return {
      comparisons: [await compareStore(own, obligations)],
      figures: { faults: faults.thrown, accepted, refused },
    }
  },
}

/** Log files that fail at random: a failed write may have written some bytes, a failed sync may have synced. */
function faultyFiles(random: Random, faults: { probability: number; thrown: number }): LogFiles {
  const fails = () => random.chance(faults.probability)
  const fail = (code: string): Error => {
    faults.thrown++
    return Object.assign(new Error(`${code}: made up`), { code })
  }
  const faulty = (file: LogFile): LogFile => ({
    ...file,
    async write(bytes, position) {
      if (!fails()) return file.write(bytes, position)
      await file.write(bytes.subarray(0, random.int(bytes.length)), position)
      // The log expects ENOSPC to pass. After EIO even on a new segment it would end the process.
      throw fail('ENOSPC')
    },
    async sync() {
      if (fails()) throw fail(random.pick(['EIO', 'ENOSPC']))
      return file.sync()
    },
  })
  return { ...diskFiles, open: async (path, mode) => faulty(await diskFiles.open(path, mode)) }
}

/** The data folder is on a small disk that fills up: the store fails first, then the log; both must recover. */
export const fullDisk: Fault = {
  id: 'F8',
  title: 'a full disk (tmpfs)',
  only: 'sqlite',
  short: { rounds: 1, seconds: 1 },
  long: { rounds: 10, seconds: 5 },
  get needs() {
    return { path: '/proc/self/mounts', missing: canMount() ? null : 'only root may mount a small disk' }
  },
  async run({ seed, rounds, seconds, folder, shop, step }) {
    const dataDir = join(folder(), 'disk')
    mkdirSync(dataDir)
    mount(dataDir, rounds * 32)
    const own = sqliteData(dataDir)
    try {
      const obligations = new Obligations()
      const env = {
        WAL_SEGMENT_BYTES: String(2 * MIB),
        INGEST_MAX_BODY_BYTES: String(MIB),
        INGEST_MAX_BROWSER_BODY_BYTES: String(MIB),
      }
      const server = await shop(own, env)
      await server.start()
      const load = startLoad({ seed, obligations, port: () => server.port, clients: 8, eventsPerSecond: 1500 })
      for (let round = 1; round <= rounds; round++) {
        step(`round ${round} of ${rounds}: disk full`)
        obligations.step = `disk full, round ${round}`
        await sleep(seconds * 300)
        fill(join(dataDir, 'ballast'))
        await sleep(seconds * 1000)
        const refusedBefore = load.counts.refused
        await until(() => load.counts.refused > refusedBefore, 'a full disk refused nothing')
        // Storing events frees a little space, so "ok" may return for a moment.
        await until(async () => (await health(server.url)).status !== 'ok', '/health says ok with a full disk')
        step(`round ${round} of ${rounds}: room again`)
        unlinkSync(join(dataDir, 'ballast'))
      }
      const counts = await load.stop(60_000)
      await settled(server.url)
      ensure(counts.wrong.length === 0, `wrong answers: ${counts.wrong[0]}`)
      ensure(counts.lost + counts.unsent === 0, `connections broke: ${JSON.stringify(counts)}`)
      const comparison = await compareStore(own, obligations)
      await server.stop()
      return { comparisons: [comparison], figures: { rounds, accepted: counts.accepted, refused: counts.refused } }
    } finally {
      spawnSync('umount', ['-l', dataDir])
    }
  },
}

async function until(holds: () => boolean | Promise<boolean>, complaint: string): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await holds())) {
    ensure(Date.now() < deadline, complaint)
    await sleep(50)
  }
}

export function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const folder = mkdtempSync(join(tmpdir(), 'veritas-mount-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', folder]).status === 0
  if (mounted) spawnSync('umount', [folder])
  rmdirSync(folder)
  return mounted
}

export function mount(folder: string, mebibytes: number): void {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'none', folder], {
    encoding: 'utf8',
  })
  ensure(status === 0, `mount failed: ${stderr}`)
}

/** Fills the disk up to the last byte. */
export function fill(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (let size = MIB; size >= 1; )
      try {
        writeSync(file, Buffer.alloc(size, 1))
      } catch {
        size = size === 1 ? 0 : Math.floor(size / 8)
      }
  } finally {
    closeSync(file)
  }
}

/** Folder of Debian's fiu-utils, the library that makes system calls fail. */
const FIU = process.env.FIU_LIBRARIES ?? '/usr/lib/fiu'
const fiuPreload = join(FIU, 'fiu_posix_preload.so')

/** A real server whose syncs fail at random, for both log and store. A server that exits is started again. */
export const failingSyncs: Fault = {
  id: 'F8',
  title: 'fdatasync failing at random in the whole process (libfiu)',
  short: { rounds: 1, seconds: 4 },
  long: { rounds: 1, seconds: 120 },
  needs: {
    path: fiuPreload,
    missing: existsSync(fiuPreload) ? null : 'libfiu is not installed (Debian: apt-get install fiu-utils)',
  },
  async run({ seed, seconds, data, shop, step }) {
    const own = await data()
    const obligations = new Obligations()
    const preload = {
      LD_PRELOAD: `${join(FIU, 'fiu_run_preload.so')} ${fiuPreload}`,
      LD_LIBRARY_PATH: join(FIU, '..'),
      FIU_CTRL_FIFO: '',
    }
    // Create the store without faults: failing to create it is a different fault.
    const well = await shop(own)
    await well.start()
    await well.stop()
    const FIU_ENABLE = 'enable_random name=posix/io/sync/fdatasync,probability=0.3'
    const server = await shop(own, { ...preload, FIU_ENABLE }, well.port)
    const load = startLoad({ seed, obligations, port: () => well.port, clients: 8, eventsPerSecond: 500 })
    let starts = 0
    const deadline = Date.now() + seconds * 1000
    while (Date.now() < deadline || load.counts.accepted < 20) {
      if (server.pid === 0) {
        starts++
        step(`start ${starts} with failing syncs`)
        await server.start().catch(() => {})
      }
      await sleep(50)
      ensure(Date.now() < deadline + 60_000, 'no request was taken in a minute')
    }
    await server.stop()
    step('a well disk again')
    await well.start()
    const counts = await load.stop()
    await settled(well.url)
    const comparison = await compareStore(own, obligations)
    await well.stop()
    const { accepted, refused, lost, unsent } = counts
    ensure(counts.wrong.length === 0, `wrong answers: ${counts.wrong[0]}`)
    ensure(refused + starts > 1, 'no sync failed')
    return { comparisons: [comparison], figures: { starts, accepted, refused, lost, unsent } }
  },
}
