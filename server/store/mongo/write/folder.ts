import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../../errors.ts'
import { type Causal, causal } from '../causal.ts'
import type { Collections } from '../collections.ts'
import type { HeadRow, PlannedRow } from '../rows.ts'
import { applyPlan } from './apply.ts'
import type { Gate } from './gate.ts'
import { endFold, moveHead, readHead } from './head.ts'
import { forgetOldPlans, markPlan } from './kept-plans.ts'
import { Known } from './known.ts'
import { stillUnfolded } from './ledger.ts'
import { loadPlan, savePlan, workOut } from './plan.ts'
import type { Figures } from './summary.ts'
import { Unfolded } from './unfolded.ts'

/** Batches that one fold adds, and rows of users, sessions and orders that they change; at least one batch. */
const FOLD_BATCHES = 32
const FOLD_ROWS = 20_000
/** A finished batch waits so long for others at most, if nobody asks for figures. */
const PACE_MS = 500
/** A fold that nobody has moved for this long is taken over. It costs double work at worst. */
const LEASE_MS = 2000
const BEAT_MS = 500
const WAIT_MS = 15
const SETTLE_TIMEOUT_MS = 30_000
/** How long a fold that is worked out lets a question of any process finish that folds have overtaken again and again. */
const HOLD_MS = 2000

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
  readonly #unfolded = new Unfolded()
  readonly #owner = randomUUID()
  readonly #leaseMs: number
  /** What others are at, and since when by this process's own clock: clocks of machines are not compared. */
  #seen = { mark: '', at: 0 }
  #lastBeat = 0
  #running: Promise<ReadonlySet<string>> | null = null
  #next: Promise<ReadonlySet<string>> | null = null
  #standing: Promise<void> | null = null
  #pace: NodeJS.Timeout | null = null

  constructor(rows: Collections, gate: Gate, leaseMs = LEASE_MS) {
    this.#rows = rows
    this.#gate = gate
    this.#known = new Known(rows)
    this.#leaseMs = leaseMs
  }

  /**
   * The batch is finished: it is folded when that is worth it, or soon. Resolves when folds keep up, so that another
   * batch may be begun.
   */
  async add(batchId: string, figures: Figures | null): Promise<void> {
    this.#unfolded.add(batchId, figures)
    if (this.#unfolded.isEnough) this.#turnUnasked()
    else this.#keepPace()
    const deadline = performance.now() + SETTLE_TIMEOUT_MS
    while (this.#unfolded.isTooMuch) {
      await this.turn()
      if (performance.now() > deadline) throw new AppError('unavailable', 'The figures do not keep up with the events.')
    }
  }

  /** Resolves when these batches, which are finished, are in every roll-up. */
  async settle(batchIds: Iterable<string>): Promise<void> {
    const deadline = performance.now() + SETTLE_TIMEOUT_MS
    let left = new Set(batchIds)
    while (left.size > 0) {
      const folded = await this.turn()
      left = new Set(
        await stillUnfolded(
          this.#rows,
          [...left].filter((id) => !folded.has(id)),
        ),
      )
      if (performance.now() > deadline) throw new AppError('unavailable', 'Other processes hold up the figures.')
      // Others are at it, or a majority does not have the batch yet.
      if (folded.size === 0 && left.size > 0) await sleep(WAIT_MS)
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

  /** Brings a fold that is being applied to its end, or waits a little for the process that is at it. */
  finishStanding(): Promise<void> {
    this.#standing ??= this.#finishStanding().finally(() => {
      this.#standing = null
    })
    return this.#standing
  }

  /** Folds what this process has finished, as far as one fold goes; the rest is for whoever asks next. */
  async close(): Promise<void> {
    if (this.#pace) clearTimeout(this.#pace)
    if (!this.#unfolded.isEmpty) await this.turn().catch(nothing)
    await this.#running?.catch(nothing)
    if (this.#pace) clearTimeout(this.#pace)
  }

  #run(): Promise<ReadonlySet<string>> {
    this.#next = null
    const running = this.#fold()
      .then((folded) => {
        this.#unfolded.remove(folded)
        if (!this.#unfolded.isEmpty) this.#keepPace()
        return folded
      })
      .finally(() => {
        if (this.#running === running) this.#running = null
      })
    this.#running = running
    return running
  }

  /** Nobody waits for it: a database that is away is told of by whoever does, and the next batch or question tries again. */
  #turnUnasked(): void {
    if (!this.#next) this.turn().catch(nothing)
  }

  #keepPace(): void {
    this.#pace ??= setTimeout(() => {
      this.#pace = null
      this.#turnUnasked()
    }, PACE_MS).unref()
  }

  async #fold(): Promise<ReadonlySet<string>> {
    const head = await readHead(this.#rows)
    return this.#afterFolds(head, (own) => this.#foldAt(own, head))
  }

  /** With collections that have every fold up to the head's, whichever process and shard it is of. */
  async #afterFolds<T>(head: HeadRow, work: (own: Causal) => Promise<T>): Promise<T> {
    const own = causal(this.#rows, head.time)
    try {
      return await work(own)
    } finally {
      await own.end()
    }
  }

  async #foldAt(own: Causal, found: HeadRow): Promise<ReadonlySet<string>> {
    let head = found
    if (head.phase === 'idle') {
      const batches = await this.#waiting(own.rows)
      if (batches.length === 0) return NONE
      const begun = { phase: 'plan' as const, batches, plan: '', parts: 0, owner: this.#owner, beat: 0 }
      if (!(await moveHead(own.rows, head, begun))) return NONE
      head = { ...head, ...begun }
    } else if (head.owner !== this.#owner) {
      const taken = await this.#takeOver(own.rows, head)
      if (!taken) return NONE
      head = taken
    } else if (head.phase === 'plan' && !(await this.#goOn(own.rows, head))) return NONE
    if (head.phase === 'apply') return this.#gate.change(() => this.#apply(own, head, null))
    return this.#decide(own, head, await workOut(own.rows, this.#known, this.#unfolded, head))
  }

  /** Keeps the plan and makes the fold certain, once no question holds it up. */
  async #decide(own: Causal, head: HeadRow, planned: PlannedRow[]): Promise<ReadonlySet<string>> {
    const plan = `${head.applied + 1} ${randomUUID()}`
    await this.#beat(head)
    const parts = await savePlan(own.rows, plan, head.applied + 1, planned)
    const certain: HeadRow = { ...head, phase: 'apply', plan, parts }
    const deadline = performance.now() + HOLD_MS
    for (;;) {
      const isPatient = performance.now() < deadline
      const applied = await this.#gate.change(async () => {
        // A hold that lasts so long is of a process that died, or of many questions in turn.
        const move = { phase: 'apply' as const, plan, parts, ...(!isPatient && { hold: '' }) }
        return (await moveHead(own.rows, head, move, isPatient)) ? this.#apply(own, certain, planned) : null
      })
      if (applied) return applied
      const { applied: last, phase, hold } = await readHead(this.#rows)
      if (last !== head.applied || phase !== head.phase) return NONE
      if (hold !== '') await sleep(WAIT_MS)
      await this.#beat(head)
    }
  }

  async #apply(own: Causal, head: HeadRow, known: PlannedRow[] | null): Promise<ReadonlySet<string>> {
    const planned = known ?? (await loadPlan(own.rows, head))
    if (!planned) return NONE
    const fold = head.applied + 1
    await applyPlan(own.rows, fold, planned, () => this.#beat(head))
    // Before the head says so, or another fold would take them once more.
    await own.rows.ledger.updateMany(
      { _id: { $in: head.batches }, state: 'done' },
      { $set: { state: 'folded', foldedAt: new Date() }, $unset: { summary: '' } },
    )
    // A plan that was read has rows in part only.
    if (known) this.#known.keep(fold, known)
    else this.#known.refresh(fold)
    await markPlan(own.rows, head)
    await endFold(own, head)
    await forgetOldPlans(own.rows, head)
    return new Set(head.batches)
  }

  async #finishStanding(): Promise<void> {
    const head = await readHead(this.#rows)
    if (head.phase !== 'apply') return
    if (head.owner === this.#owner && this.#running) return void (await sleep(WAIT_MS))
    await this.#afterFolds(head, async (own) => {
      const taken = head.owner === this.#owner ? head : await this.#takeOver(own.rows, head)
      if (taken) await this.#gate.change(() => this.#apply(own, taken, null))
    })
  }

  /** Batches for one fold, whichever process finished them. */
  async #waiting({ ledger }: Collections): Promise<string[]> {
    const own = this.#unfolded.ids()
    const rows = await ledger
      .find({ state: 'done' }, { projection: { rows: 1 } })
      // By age: one that waits is in a fold after those before it, whoever finished it.
      .sort({ doneAt: 1, _id: 1 })
      .limit(FOLD_BATCHES)
      .toArray()
    // Others may have folded some of this process's.
    const isThere = new Set(rows.map((row) => row._id))
    if (rows.length < FOLD_BATCHES) this.#unfolded.remove(own.filter((id) => !isThere.has(id)))
    let changed = 0
    const batches: string[] = []
    for (const { _id, rows: ofBatch = 0 } of rows) {
      changed += ofBatch
      if (batches.length > 0 && changed > FOLD_ROWS) break
      batches.push(_id)
    }
    return batches
  }

  /** Another process is at it: waits a little, or goes on in its place when it has not moved for long. */
  async #takeOver(rows: Collections, head: HeadRow): Promise<HeadRow | null> {
    const { applied, phase, owner, beat } = head
    const mark = `${applied} ${phase} ${owner} ${beat}`
    if (this.#seen.mark !== mark) this.#seen = { mark, at: performance.now() }
    if (performance.now() - this.#seen.at < this.#leaseMs) {
      await sleep(WAIT_MS)
      return null
    }
    const taken = await rows.head.findOneAndUpdate(
      { _id: 'head', applied, phase, owner, beat },
      { $set: { owner: this.#owner, beat: 0 } },
      { returnDocument: 'after' },
    )
    return taken as HeadRow | null
  }

  /** Whoever works a fold out has written to the head first: what is read after that write has all of its batches. */
  async #goOn(rows: Collections, { applied, owner }: HeadRow): Promise<boolean> {
    const mine = { _id: 'head' as const, applied, phase: 'plan' as const, owner }
    return (await rows.head.updateOne(mine, { $inc: { beat: 1 } })).matchedCount === 1
  }

  /** Tells others now and then that this process is still at work. */
  async #beat({ applied }: HeadRow): Promise<void> {
    if (performance.now() - this.#lastBeat < BEAT_MS) return
    this.#lastBeat = performance.now()
    await this.#rows.head.updateOne({ _id: 'head', applied, owner: this.#owner }, { $inc: { beat: 1 } })
  }
}

const NONE: ReadonlySet<string> = new Set()

function nothing(): void {}
