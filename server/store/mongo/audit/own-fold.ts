import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Causal, causal } from '../causal.ts'
import type { Collections } from '../collections.ts'
import type { HeadRow, PlannedRow } from '../rows.ts'
import { applyPlan } from '../write/apply.ts'
import { beatHead, endFold, readHead } from '../write/head.ts'
import { forgetOldPlans, markPlan } from '../write/kept-plans.ts'
import { savePlan } from '../write/plan.ts'

const HEAD_TIMEOUT_MS = 10_000
const WAIT_MS = 10

/**
 * A fold without batches: nobody else changes rows while `work` looks at them and says what they come to, everybody
 * forgets the rows that they remember, and any process finishes it if this one dies. False when `work` says null, or the
 * head cannot be had.
 */
export async function foldOwn(rows: Collections, work: Work): Promise<boolean> {
  const own = causal(rows, (await readHead(rows)).time)
  try {
    const head = await begin(own.rows, randomUUID())
    if (!head) return false
    const beat = beatHead(rows, head)
    const decided = await decide(own, head, work).finally(() => beat.end())
    if (!decided) return false
    await applyPlan(own.rows, head.applied + 1, decided.planned, async () => {})
    await markPlan(own.rows, { ...head, ...decided.kept })
    await endFold(own, head)
    await forgetOldPlans(rows, head)
    return true
  } finally {
    await own.end()
  }
}

/** Says what the rows come to with this fold, by reading these collections alone; null when it is not to be. */
export type Work = (fold: number, rows: Collections) => Promise<PlannedRow[] | null>

interface Decided {
  planned: PlannedRow[]
  kept: Pick<HeadRow, 'plan' | 'parts'>
}

/** What `work` comes to, once it is certain; else the head is given back and null. */
async function decide({ rows }: Causal, head: HeadRow, work: Work): Promise<Decided | null> {
  const fold = head.applied + 1
  try {
    const planned = await work(fold, rows)
    if (planned) {
      const plan = `${fold} ${head.owner}`
      const parts = await savePlan(rows, plan, fold, planned)
      if (await apply(rows, head, plan, parts)) return { planned, kept: { plan, parts } }
    }
  } catch (error) {
    await giveBack(rows, head)
    throw error
  }
  await giveBack(rows, head)
  return null
}

/** Takes the head when it is idle. */
async function begin({ head }: Collections, owner: string): Promise<HeadRow | null> {
  const deadline = performance.now() + HEAD_TIMEOUT_MS
  while (performance.now() < deadline) {
    const taken = await head.findOneAndUpdate(
      { _id: 'head', phase: 'idle' },
      { $set: { phase: 'plan', batches: [], plan: '', parts: 0, owner, beat: 0 } },
      { returnDocument: 'after' },
    )
    if (taken) return taken as HeadRow
    await sleep(WAIT_MS)
  }
  return null
}

/** Makes the change certain, once no question holds it up. Another process may have taken the fold over by then. */
async function apply(rows: Collections, taken: HeadRow, plan: string, parts: number): Promise<boolean> {
  const { applied, owner } = taken
  const deadline = performance.now() + HEAD_TIMEOUT_MS
  while (performance.now() < deadline) {
    const move = { _id: 'head' as const, applied, phase: 'plan' as const, owner, hold: { $in: ['', null] } }
    const { matchedCount } = await rows.head.updateOne(move as object, { $set: { phase: 'apply', plan, parts } })
    if (matchedCount === 1) return true
    const now = await rows.head.findOne({ _id: 'head' })
    if (now?.applied !== applied || now.phase !== 'plan' || now.owner !== owner) return false
    await sleep(WAIT_MS)
  }
  return false
}

async function giveBack({ head }: Collections, { applied, owner }: HeadRow): Promise<void> {
  await head.updateOne({ _id: 'head', applied, phase: 'plan', owner }, { $set: { phase: 'idle', owner: '' } })
}
