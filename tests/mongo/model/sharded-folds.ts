import { createRandom, type Random } from '../../../server/demo/random.ts'
import { Cluster } from './cluster.ts'

/**
 * A model of the protocol of decision 006 on a cluster: batches claim event ids, any process may continue a fold, and
 * processes may die at any point. Other processes run at each `yield`; the code between two of them is one command.
 */
export interface Protocol {
  /** Claims held by others are read after the batch's own writes, rather than from any member. */
  readsClaimsAfterWrites: boolean
  /** A fold's initial rows are read after the instant stored in the head, rather than from any member. */
  plansAfterHead: boolean
  /** The head stores the time by which the rows of the last fold were written. */
  keepsInstant: boolean
  /** A process that continues a fold in its plan phase first writes to the head, and reads after that write. */
  writesBeforePlan: boolean
}

interface Head {
  applied: number
  phase: 'idle' | 'plan' | 'apply'
  batches: string[]
  plan: string
  instant: number
}

interface Batch {
  state: 'prep' | 'done' | 'folded'
  users: Map<string, number>
}

interface Row {
  events: number
  fold: number
}

interface Event {
  id: string
  user: string
}

type Process = Generator<void, void, void>

const SHARDS = 3
/** The shard of the head, the ledger and the plans; sharded data is on the others. */
const FIRST = 0
const STEPS = 4000

/** Runs one random history. Returns what is wrong at its end; null if nothing is. */
export function runHistory(seed: number, protocol: Protocol): string | null {
  const random = createRandom(seed)
  const cluster = new Cluster(random, SHARDS)
  const world = new World(cluster, random, protocol)
  cluster.write(FIRST, 'head', { applied: 0, phase: 'idle', batches: [], plan: '', instant: 0 } satisfies Head)
  const begin = [
    () => world.writer('a', world.batchesOf('a')),
    () => world.writer('b', world.batchesOf('b')),
    () => world.folder(),
    () => world.folder(),
  ]
  const running = begin.map((one) => one())
  for (let step = 0; step < STEPS; step++) {
    const index = random.int(running.length)
    if (random.chance(0.02)) cluster.disturb()
    if (random.chance(0.01)) running[index] = begin[index]!()
    running[index]!.next()
  }
  // At the end run everything once more, without deaths.
  for (const id of ['a', 'b']) drain(world.writer(id, world.batchesOf(id)))
  for (let folds = 0; folds < 200 && !world.isSettled(); folds++) drain(world.folder(1))
  return world.mistake()
}

function drain(process: Process): void {
  while (!process.next().done);
}

class World {
  readonly #cluster: Cluster
  readonly #random: Random
  readonly #protocol: Protocol
  readonly #events: Event[]
  readonly #batches = new Map<string, Map<string, Event[]>>()
  #plans = 0

  constructor(cluster: Cluster, random: Random, protocol: Protocol) {
    this.#cluster = cluster
    this.#random = random
    this.#protocol = protocol
    this.#events = Array.from({ length: 20 }, (_, index) => ({ id: `e${index}`, user: `u${index % 4}` }))
  }

  /** The batches of a process. They stay the same when it restarts, since they are in its log. */
  batchesOf(process: string): Map<string, Event[]> {
    const known = this.#batches.get(process)
    if (known) return known
    const batches = new Map<string, Event[]>()
    for (let batch = 0; batch < 4; batch++) {
      const events = Array.from({ length: 4 }, () => this.#events[this.#random.int(this.#events.length)]!)
      batches.set(`${process}${batch}`, [...new Set(events)])
    }
    this.#batches.set(process, batches)
    return batches
  }

  *writer(_process: string, batches: Map<string, Event[]>): Process {
    for (const [batch, events] of batches) {
      const ledger = `batch ${batch}`
      if (!this.#cluster.current(FIRST, ledger)) this.#cluster.write(FIRST, ledger, none())
      yield
      let written = 0
      const taken: Event[] = []
      const users = new Map<string, number>()
      const own = (event: Event) => users.set(event.user, (users.get(event.user) ?? 0) + 1)
      for (const event of events) {
        if (this.#cluster.current(shardOf(event.id), event.id)) taken.push(event)
        else {
          this.#cluster.write(shardOf(event.id), event.id, batch)
          own(event)
        }
        // A write that changed nothing still returns the time of the state it was compared with.
        written = Math.max(written, this.#instantOf(event.id))
        yield
      }
      for (const event of taken) {
        const after = this.#protocol.readsClaimsAfterWrites ? written : null
        if (this.#cluster.read(shardOf(event.id), event.id, after) === batch) own(event)
        yield
      }
      if (this.#cluster.current<Batch>(FIRST, ledger)?.state === 'prep')
        this.#cluster.write(FIRST, ledger, { state: 'done', users } satisfies Batch)
      yield
    }
  }

  #instantOf(key: string): number {
    // Write only to get a time: a real server returns its latest one.
    return this.#cluster.write(shardOf(key), 'instant', null)
  }

  *folder(folds = Number.POSITIVE_INFINITY): Process {
    for (let fold = 0; fold < folds; fold++) {
      let head = this.#cluster.read<Head>(FIRST, 'head', null)!
      yield
      if (head.phase === 'idle') {
        const done = this.#cluster.readAll<Batch>(FIRST, 'batch ', this.#after(head))
        const batches = done.filter(([, { state }]) => state === 'done').map(([id]) => id)
        yield
        if (batches.length === 0) continue
        const begun = { ...head, phase: 'plan' as const, batches }
        const moved = this.#move(head, begun)
        if (moved === null) continue
        head = { ...begun, instant: Math.max(head.instant, moved) }
        yield
      } else if (head.phase === 'plan' && this.#protocol.writesBeforePlan) {
        const taken = this.#move(head, head)
        if (taken === null) continue
        head = { ...head, instant: Math.max(head.instant, taken) }
        yield
      }
      if (head.phase === 'plan') {
        const plan = yield* this.#workOut(head)
        const name = `plan ${++this.#plans}`
        this.#cluster.write(FIRST, name, plan)
        yield
        const certain = { ...head, phase: 'apply' as const, plan: name }
        if (this.#move(head, certain) === null) continue
        head = certain
        yield
      }
      yield* this.#apply(head)
    }
  }

  /** The rows after the fold, and whether each is new. */
  *#workOut(head: Head): Generator<void, Map<string, Row & { isNew: boolean }>, void> {
    const sums = new Map<string, number>()
    for (const id of head.batches) {
      const batch = this.#cluster.read<Batch>(FIRST, id, this.#after(head))
      yield
      if (batch?.state === 'done')
        for (const [user, events] of batch.users) sums.set(user, (sums.get(user) ?? 0) + events)
    }
    const plan = new Map<string, Row & { isNew: boolean }>()
    for (const [user, events] of sums) {
      const row = this.#cluster.read<Row>(shardOf(user), user, this.#after(head))
      plan.set(user, { isNew: !row, events: (row?.events ?? 0) + events, fold: head.applied + 1 })
      yield
    }
    return plan
  }

  *#apply(head: Head): Process {
    const plan = this.#cluster.read<Map<string, Row & { isNew: boolean }>>(FIRST, head.plan, null)
    if (!plan) return
    let instant = head.instant
    for (const [user, { isNew, events, fold }] of plan) {
      const stored = this.#cluster.current<Row>(shardOf(user), user)
      if (isNew ? !stored : stored && stored.fold < fold)
        this.#cluster.write(shardOf(user), user, { events, fold } satisfies Row)
      instant = Math.max(instant, this.#instantOf(user))
      yield
    }
    for (const id of head.batches) {
      const batch = this.#cluster.current<Batch>(FIRST, id)!
      if (batch.state === 'done') this.#cluster.write(FIRST, id, { ...batch, state: 'folded' } satisfies Batch)
      yield
    }
    const { keepsInstant } = this.#protocol
    const idle = { applied: head.applied + 1, phase: 'idle' as const, batches: [], plan: '' }
    this.#move(head, { ...idle, instant: keepsInstant ? instant : 0 })
    yield
  }

  #after({ instant }: Head): number | null {
    return this.#protocol.plansAfterHead ? instant : null
  }

  /**
   * Moves the head and returns the time of that; null if another process has moved it. Only `idle` sets the instant.
   */
  #move(from: Head, to: Head): number | null {
    const now = this.#cluster.current<Head>(FIRST, 'head')!
    if (now.applied !== from.applied || now.phase !== from.phase) return null
    return this.#cluster.write(FIRST, 'head', { ...to, instant: to.phase === 'idle' ? to.instant : now.instant })
  }

  isSettled(): boolean {
    const head = this.#cluster.current<Head>(FIRST, 'head')!
    const batches = [...this.#batches.values()].flatMap((batches) => [...batches.keys()])
    return (
      head.phase === 'idle' &&
      batches.every((id) => this.#cluster.current<Batch>(FIRST, `batch ${id}`)?.state === 'folded')
    )
  }

  mistake(): string | null {
    if (!this.isSettled()) return 'folds do not come to an end'
    const sent = new Set([...this.#batches.values()].flatMap((batches) => [...batches.values()].flat()))
    const expected = new Map<string, number>()
    for (const { user } of sent) expected.set(user, (expected.get(user) ?? 0) + 1)
    for (const [user, events] of expected) {
      const stored = this.#cluster.current<Row>(shardOf(user), user)?.events ?? 0
      if (stored !== events) return `${user} has ${stored} events of ${events}`
    }
    return null
  }
}

function none(): Batch {
  return { state: 'prep', users: new Map() }
}

function shardOf(key: string): number {
  return 1 + (Number(key.slice(1)) % (SHARDS - 1))
}
