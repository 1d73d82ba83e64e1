import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { end } from '../../scripts/launch.ts'
import { compareStore } from '../faults/compare.ts'
import { ensure, type Fault, type FaultRun } from '../faults/fault.ts'
import { startLoad } from '../faults/load.ts'
import { Obligations } from '../faults/obligations.ts'
import { settled } from '../faults/shop-process.ts'
import { type Box, createBox } from './box.ts'
import { curl, nginx } from './programs.ts'
import { copyBuild, uploadBuild } from './small-release.ts'

/** Releases as ops make them, one after the other, while storefronts post and pages are read: no request fails. */
export const releases: Fault = {
  id: 'F20',
  title: 'releases under load, through nginx and past it',
  // What a release does is the same whatever the store; f12 and the tests of MongoDB replace processes on both.
  only: 'sqlite',
  short: { rounds: 3, seconds: 0.5 },
  long: { rounds: 50, seconds: 1 },
  needs: nginx.missing ? nginx : curl,
  async run({ seed, rounds, seconds, folder, data, step, atEnd }: FaultRun) {
    const own = await data()
    const box = await createBox({
      DATA_DIR: own.dataDir,
      INGEST_KEYLESS: 'allow',
      SITE_TIME_ZONE: 'UTC',
    })
    atEnd(() => box.close())
    step('install and first release')
    const proxy = await openProxy(box)
    atEnd(async () => void (await end(proxy)))
    const build = folder()
    copyBuild(build)
    await release(box, '1.0.0+first', build)

    const obligations = new Obligations()
    let posts = 0
    const load = startLoad({
      seed,
      obligations,
      // Half of them meet the server itself, where nobody sends again for them.
      port: () => (posts++ % 2 === 0 ? box.listenPort : box.port),
      clients: 12,
      eventsPerSecond: 600,
      maxBatch: 10,
      fresh: 0.3,
      retrying: 0,
    })
    const pages = readPages(box.listenPort)
    const tookMs: number[] = []
    for (let round = 1; round <= rounds; round++) {
      step(`release ${round} of ${rounds}`)
      obligations.step = `release ${round}`
      await sleep(seconds * 1000)
      const started = Date.now()
      await release(box, `1.0.0+r${round}`, build)
      tookMs.push(Date.now() - started)
    }
    const { requests, accepted, lost, refused, unsent, wrong } = await load.stop()
    const read = await pages.stop()
    ensure(
      lost + refused + unsent + wrong.length === 0 && accepted === requests,
      `of ${requests} posts ${accepted} were taken, ${lost} lost, ${refused} refused, ${unsent} not sent, ${wrong}`,
    )
    ensure(read.failed.length === 0, `of ${read.pages} pages ${read.failed.length} failed: ${read.failed.slice(0, 5)}`)
    await settled(`http://127.0.0.1:${box.port}`)
    const [process, ...others] = await box.processes()
    ensure(process?.status === 'online' && others.length === 0, 'there is not one process that runs')
    ensure(process.restarts === rounds, `${process.restarts} restarts in ${rounds} releases`)
    ensure(box.releases().length === Math.min(5, rounds + 1), `${box.releases().length} releases were kept`)
    const comparison = await compareStore(own, obligations)
    tookMs.sort((a, b) => a - b)
    return {
      comparisons: [comparison],
      figures: {
        releases: rounds,
        posts: requests,
        pages: read.pages,
        failed: 0,
        medianReleaseMs: tookMs[Math.floor(tookMs.length / 2)]!,
        longestReleaseMs: tookMs.at(-1)!,
      },
    }
  },
}

async function release(box: Box, version: string, build: string): Promise<void> {
  const { bucket, key, sha256 } = await uploadBuild(box, version, build)
  const { code, output } = await box.run('deploy.sh', bucket, key, sha256, version)
  ensure(code === 0, `deploy.sh ended with ${code}:\n${output}`)
}

/** nginx with the box's own settings, but for its door: the load sends no secret. */
async function openProxy(box: Box): Promise<ChildProcess> {
  const { code, output } = await box.install()
  ensure(code === 0, output)
  const file = box.path('etc/nginx/nginx.conf')
  const open = box.path('etc/nginx/open.conf')
  writeFileSync(
    open,
    readFileSync(file, 'utf8').replace(/default 0;\n\s+include \S+veritas-origin\.map;/, 'default 1;'),
  )
  ensure(!readFileSync(open, 'utf8').includes('veritas-origin.map'), 'the door of nginx was not found')
  return spawn(nginx.path, ['-c', open, '-g', 'daemon off;'], { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Asks for a page twenty times a second until it is stopped. */
function readPages(port: number) {
  const failed: string[] = []
  let pages = 0
  let reading = true
  const done = (async () => {
    while (reading) {
      pages++
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/signup`)
        await answer.text()
        if (answer.status !== 200) failed.push(String(answer.status))
      } catch (error) {
        failed.push(String((error as Error).cause ?? error))
      }
      await sleep(50)
    }
  })()
  return {
    async stop() {
      reading = false
      await done
      return { pages, failed }
    },
  }
}
