import { Agent } from 'node:http'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { createRandom, type Random } from '../../server/demo/random.ts'
import { createEventMaker, type PostedEvent } from './events.ts'
import type { Obligations } from './obligations.ts'
import { type PostAnswer, post } from './post.ts'

export interface LoadOptions {
  seed: number
  obligations: Obligations
  /** The port to post to; called before every attempt. */
  port: () => number
  clients: number
  eventsPerSecond: number
  /** Maximum number of events per request. */
  maxBatch?: number
  /** Share of clients that retry requests not answered with 202 (default: 0.75). */
  retrying?: number
  /** Share of requests that use a new connection (default: 0). */
  fresh?: number
  /** Number of concurrent copies of each request, sent to the ports that port() returns (default: 1). */
  copies?: () => number
  /** Called with each accepted request, for tests that send it again later. */
  onTaken?: (request: ShopRequest) => void
}

export interface LoadCounts {
  requests: number
  accepted: number
  /** Requests answered with 429 or 503. */
  refused: number
  /** Requests sent but not answered. */
  lost: number
  /** Requests that could not be sent, since nothing listened. */
  unsent: number
  /** Answers that a well-behaved client must never get. */
  wrong: string[]
}

export interface Load {
  readonly counts: LoadCounts
  /** Stops new requests; retries continue until accepted or until `finishMs` is over. */
  stop(finishMs?: number): Promise<LoadCounts>
}

const MAX_WAIT_MS = 250

/** Simulates storefronts: clients on keep-alive connections that post single events and batches at a limited rate. */
export function startLoad(options: LoadOptions): Load {
  const { clients, retrying = 0.75, seed } = options
  const counts: LoadCounts = { requests: 0, accepted: 0, refused: 0, lost: 0, unsent: 0, wrong: [] }
  const until = { generate: Number.POSITIVE_INFINITY, retry: Number.POSITIVE_INFINITY }
  const running = Array.from({ length: clients }, (_, number) => {
    const random = createRandom(seed, number)
    const client = { ...options, counts, until, random, retries: number < clients * retrying }
    return runClient(client, createEventMaker(random, `s${seed}c${number}`))
  })
  return {
    counts,
    async stop(finishMs = 30_000) {
      until.generate = Date.now()
      until.retry = Date.now() + finishMs
      await Promise.all(running)
      return counts
    },
  }
}

interface Client extends LoadOptions {
  counts: LoadCounts
  until: { generate: number; retry: number }
  random: Random
  retries: boolean
}

async function runClient(client: Client, make: (withId: boolean) => PostedEvent): Promise<void> {
  const { random, clients, eventsPerSecond, maxBatch = 60, fresh = 0, until } = client
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const msPerEvent = (1000 * clients) / eventsPerSecond
  let due = Date.now() + random.next() * msPerEvent
  while (Date.now() < until.generate) {
    const size = random.chance(0.5) ? 1 : 1 + random.int(maxBatch)
    const request = newRequest(client, make, size)
    client.obligations.offer(request.events)
    const copies = client.copies?.() ?? 1
    const own = random.chance(fresh) ? false : agent
    await Promise.all(Array.from({ length: copies }, () => deliver(client, own, request)))
    // Keep the rate, but do not catch up after an outage, which would be a different load.
    due = Math.max(due + size * msPerEvent, Date.now() - 1000)
    if (due > Date.now()) await sleep(Math.min(due, until.generate) - Date.now())
  }
  agent.destroy()
}

export interface ShopRequest {
  events: PostedEvent[]
  body: string
  headers: Record<string, string>
  mayRetry: boolean
}

/** Most clients set event ids; some leave them to the server, with an idempotency key for safe retries or without. */
function newRequest(client: Client, make: (withId: boolean) => PostedEvent, size: number): ShopRequest {
  const { random, retries } = client
  const kind = random.int(10)
  const keyed = kind === 8
  // Without an id or a key, an event sent twice counts as two events.
  const named = kind < 8 || (kind === 9 && client.copies !== undefined)
  const events = Array.from({ length: size }, () => make(named))
  const form = size === 1 ? random.pick([events[0], events]) : random.pick([events, { batch: events }])
  return {
    events,
    body: JSON.stringify(form),
    headers: keyed ? { 'idempotency-key': random.hex(32) } : {},
    mayRetry: retries && (named || keyed),
  }
}

async function deliver(client: Client, agent: Agent | false, request: ShopRequest): Promise<void> {
  const { counts, until, obligations, random } = client
  for (let tries = 1; ; tries++) {
    // If this process stalled, connections may have been closed meanwhile. The event loop notices in one turn and drops
    // them from the agent in the next.
    for (let turns = 0; turns < 3; turns++) await setImmediate()
    counts.requests++
    const answer = await post({ port: client.port(), agent }, request.body, request.headers)
    if ('status' in answer && answer.status === 202) {
      const { eventIds } = JSON.parse(answer.body) as { eventIds: string[] }
      obligations.promise(request.events, eventIds)
      counts.accepted++
      client.onTaken?.(request)
      return
    }
    count(counts, answer)
    if (!request.mayRetry || Date.now() > until.retry) return
    // Shorter than Retry-After, so that a short run has many retries; tests/ingest.test.ts checks Retry-After.
    const waitMs = Math.min(MAX_WAIT_MS, 10 * 2 ** tries)
    await sleep(waitMs * (0.5 + random.next() / 2))
  }
}

function count(counts: LoadCounts, answer: PostAnswer): void {
  if ('lost' in answer) counts.lost++
  else if ('unsent' in answer) counts.unsent++
  else if (answer.status === 429 || answer.status === 503) counts.refused++
  else counts.wrong.push(`${answer.status} ${answer.body.slice(0, 200)}`)
}
