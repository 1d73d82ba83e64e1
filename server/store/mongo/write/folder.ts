import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../../errors.ts'
import type { Collections } from '../collections.ts'
import type { HeadRow, PlannedRow } from '../rows.ts'
import { applyPlan } from './apply.ts'
import type { Gate } from './gate.ts'
import { Known } from './known.ts'
import { forgetPlans, loadPlan, savePlan, workOut } from './plan.ts'

/** Batches and events that one fold adds, at least one batch. */
const FOLD_BATCHES = 32
const FOLD_EVENTS = 20_000
/** A fold that nobody has moved for this long is taken over. It costs double work at worst. */
const LEASE_MS = 2000
const BEAT_MS = 500
const WAIT_MS = 15
const SETTLE_TIMEOUT_MS = 30_000

/**
 * Adds finished batches to the roll-ups. One document, the head, is moved from phase to phase by compare-and-set:
 *
 *     idle   -> plan    these batches are fold F
 *     plan   -> apply   the rows that fold F comes to are kept, all of them: from here on the fold is certain
 *     apply  -> idle    they are written, and the ledger knows that the batches are folded
 *
 * While the phase is plan no row changes, so whoever gets the head to apply has read one state. While it is apply any
 * process may write the same rows again. A process that stops anywhere leaves a fold that any other can finish; the
 * owner in the head only keeps others from doing the same work at the same time.
 */
export class Folder {
  readonly #rows: Collections
  readonly #gate: Gate
  readonly #known: Known
  readonly #owner = randomUUID()
  readonly #leaseMs: number
  /** What others are at, and since when by this process's own clock: clocks of machines are not compared. */
  #seen = { mark: '', at: 0 }
  #lastBeat = 0
  #running: Promise<ReadonlySet<string>> | null = null
  #next: Promise<ReadonlySet<string>> | null = null

  constructor(rows: Collections, gate: Gate, leaseMs = LEASE_MS) {
    this.#rows = rows
    this.#gate = gate
    this.#known = new Known(rows)
    this.#leaseMs = leaseMs
  }

  /** Resolves when the batch, which is finished, is in every roll-up. */
  async settle(batchId: string): Promise<void> {
    const deadline = Date.now() + SETTLE_TIMEOUT_MS
    for (;;) {
      if ((await this.turn()).has(batchId)) return
      const row = await this.#rows.ledger.findOne({ _id: batchId }, { projection: { state: 1 } })
      if (row?.state === 'folded') return
      if (Date.now() > deadline) throw new AppError('unavailable', 'Other processes hold up the figures.')
    }
  }

  /**
   * Does what is to be done next, begun after this call: a fold, or a short wait for one of another process. Calls that
   * come while one is at work share the next. Returns the batches that were folded.
   */
  turn(): Promise<ReadonlySet<string>> {
    if (!this.#running) return this.#run()
    this.#next ??= this.#running.then(
      () => this.#run(),
      () => this.#run(),
    )
    return this.#next
  }

  #run(): Promise<ReadonlySet<string>> {
    this.#next = null
    const running = this.#fold().finally(() => {
      if (this.#running === running) this.#running = null
    })
    this.#running = running
    return running
  }

  async #fold(): Promise<ReadonlySet<string>> {
    const nothing = new Set<string>()
    let head = await readHead(this.#rows)
    if (head.phase === 'idle') {
      const batches = await this.#waiting()
      if (batches.length === 0) return nothing
      const begun = { phase: 'plan' as const, batches, plan: '', parts: 0, owner: this.#owner, beat: 0 }
      if (!(await this.#move(head, begun))) return nothing
      head = { ...head, ...begun }
    } else if (head.owner !== this.#owner) {
      const taken = await this.#takeOver(head)
      if (!taken) return nothing
      head = taken
    }
    let planned: PlannedRow[] | null = null
    if (head.phase === 'plan') {
      planned = await workOut(this.#rows, this.#known, head)
      if (!planned) return nothing
      const plan = `${head.applied + 1} ${randomUUID()}`
      await this.#beat(head)
      const parts = await savePlan(this.#rows, plan, head.applied + 1, planned)
      const { applied, batches, owner, beat } = head
      const certain: HeadRow = { _id: 'head', applied, batches, owner, beat, phase: 'apply', plan, parts }
      const before = head
      return this.#gate.change(async () =>
        (await this.#move(before, { phase: 'apply', plan, parts })) ? this.#apply(certain, planned) : nothing,
      )
    }
    return this.#gate.change(() => this.#apply(head, null))
  }

  async #apply(head: HeadRow, known: PlannedRow[] | null): Promise<ReadonlySet<string>> {
    const planned = known ?? (await loadPlan(this.#rows, head))
    if (!planned) return new Set()
    const fold = head.applied + 1
    await applyPlan(this.#rows, fold, planned, () => this.#beat(head))
    // Before the head says so, or another fold would take them once more.
    await this.#rows.ledger.updateMany(
      { _id: { $in: head.batches }, state: 'done' },
      { $set: { state: 'folded', foldedAt: new Date() }, $unset: { summary: '' } },
    )
    this.#known.keep(fold, planned)
    const idle = { phase: 'idle' as const, applied: fold, batches: [], plan: '', parts: 0, owner: '', beat: 0 }
    await this.#move(head, idle)
    await forgetPlans(this.#rows, fold)
    return new Set(head.batches)
  }

  /** Batches for one fold, whichever process finished them. */
  async #waiting(): Promise<string[]> {
    const rows = await this.#rows.ledger
      .find({ state: 'done' }, { projection: { stored: 1 }, readConcern: 'majority' })
      .sort({ _id: 1 })
      .limit(FOLD_BATCHES)
      .toArray()
    let events = 0
    const batches: string[] = []
    for (const { _id, stored = 0 } of rows) {
      events += stored
      if (batches.length > 0 && events > FOLD_EVENTS) break
      batches.push(_id)
    }
    return batches
  }

  /** False when somebody else moved it. */
  async #move(from: HeadRow, to: Partial<HeadRow>): Promise<boolean> {
    const { applied, phase } = from
    const { matchedCount } = await this.#rows.head.updateOne({ _id: 'head', applied, phase }, { $set: to })
    return matchedCount === 1
  }

  /** Another process is at it: waits a little, or goes on in its place when it has not moved for long. */
  async #takeOver(head: HeadRow): Promise<HeadRow | null> {
    const { applied, phase, owner, beat } = head
    const mark = `${applied} ${phase} ${owner} ${beat}`
    if (this.#seen.mark !== mark) this.#seen = { mark, at: performance.now() }
    if (performance.now() - this.#seen.at < this.#leaseMs) {
      await sleep(WAIT_MS)
      return null
    }
    const taken = await this.#rows.head.findOneAndUpdate(
      { _id: 'head', applied, phase, owner, beat },
      { $set: { owner: this.#owner, beat: 0 } },
      { returnDocument: 'after' },
    )
    return taken as HeadRow | null
  }

  /** Tells others now and then that this process is still at work. */
  async #beat({ applied }: HeadRow): Promise<void> {
    if (performance.now() - this.#lastBeat < BEAT_MS) return
    this.#lastBeat = performance.now()
    await this.#rows.head.updateOne({ _id: 'head', applied, owner: this.#owner }, { $inc: { beat: 1 } })
  }
}

export async function readHead({ head }: Collections): Promise<HeadRow> {
  const row = await head.findOne({ _id: 'head' }, { readConcern: 'majority' })
  if (!row) throw new AppError('unavailable', 'The database has no head of its folds.')
  return row
}
