import { randomUUID } from 'node:crypto'
import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { post } from '../faults/post.ts'

export interface Honest {
  /** Ids of events confirmed by a 202. */
  readonly promised: readonly string[]
  /** Durations in ms of the accepted attempts. */
  takeTimes(): number[]
  /** Answers that an honest client must never get. */
  readonly wrong: string[]
  stop(): Promise<void>
}

const PAUSE_MS = 20

/** A client that posts single events and batches and reads figures, one at a time; retries posts not accepted. */
export function startHonest(port: number, cookie: string, key: string | null): Honest {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` }
  const promised: string[] = []
  const wrong: string[] = []
  let times: number[] = []
  let running = true

  async function postOn(): Promise<void> {
    for (let count = 0; running; count++) {
      const events = Array.from({ length: count % 10 === 0 ? 50 : 1 }, () => ({
        eventId: randomUUID(),
        userId: 'honest',
        sessionId: `s${Math.floor(count / 100)}`,
        type: 'page_view',
        payload: { url: '/' },
      }))
      while (!(await isTaken(events))) await sleep(PAUSE_MS)
      await sleep(PAUSE_MS)
    }
  }

  async function isTaken(events: { eventId: string }[]): Promise<boolean> {
    const startedAt = performance.now()
    const answer = await post({ port, agent, timeoutMs: 60_000 }, JSON.stringify(events), headers)
    if (!('status' in answer)) return false
    if (answer.status === 202) {
      times.push(performance.now() - startedAt)
      promised.push(...events.map(({ eventId }) => eventId))
      return true
    }
    if (![429, 503].includes(answer.status)) wrong.push(`${answer.status} ${answer.body.slice(0, 200)}`)
    return false
  }

  async function readOn(): Promise<void> {
    while (running) {
      const status = await statusOf('/stats')
      if (![200, 503, null].includes(status)) wrong.push(`GET /stats: ${status}`)
      await sleep(10 * PAUSE_MS)
    }
  }

  function statusOf(path: string): Promise<number | null> {
    return new Promise((resolve) => {
      get({ host: '127.0.0.1', port, path, agent, headers: { cookie } }, (res) => {
        res.resume()
        resolve(res.statusCode ?? null)
      }).on('error', () => resolve(null))
    })
  }

  const work = Promise.all([postOn(), readOn()])
  return {
    promised,
    wrong,
    takeTimes() {
      const taken = times
      times = []
      return taken
    },
    async stop() {
      running = false
      await work
      agent.destroy()
    },
  }
}

export function percentile95(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? Number.NaN
}
