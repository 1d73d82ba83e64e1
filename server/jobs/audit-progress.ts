import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { MovingStore } from '../store/store.ts'

/** One part of a night's audit: "users", "totals" or a day. */
interface AuditStep {
  part: string
  /** Of users: where the step begins. */
  after: string | null
  /** Of users: how many more are counted one by one, since one of them has ended a process. */
  alone: number
  /** Processes that ended while they were at it. */
  ended: number
}

export interface AuditProgress {
  /** Where the night's audit goes on; null where it has not begun. */
  readonly from: AuditStep | null
  /** Days that ended their processes, on this night or one before. */
  readonly passedOver: ReadonlySet<string>
  /** To be called before each step, so that a start knows what this process was at when it ended. */
  begin(step: AuditStep): Promise<void>
  passOver(day: string): void
  /** Nothing is under way any more: an end that is none of a process, such as a failure. */
  rest(): Promise<void>
  /** The night is done. */
  done(keptDays: readonly string[]): Promise<void>
}

const progressMark = z.object({
  /** Tells runs apart: one that has lost its lease leaves the mark of the next one alone. */
  by: z.string(),
  night: z.string(),
  step: z.object({ part: z.string(), after: z.string().nullable(), alone: z.number(), ended: z.number() }).nullable(),
  isUnderWay: z.boolean(),
  passedOver: z.array(z.string()),
})
type ProgressMark = z.infer<typeof progressMark>
type Marks = Pick<MovingStore, 'mark' | 'setMark'>

/**
 * What the store notes of the night's audit. To be opened by the holder of its lease: a step that is under way then was
 * that of a process which is gone, and may be what ended it.
 */
export async function openAuditProgress(
  marks: Marks,
  { siteId, night, signal }: { siteId: string; night: string; signal: AbortSignal },
): Promise<AuditProgress> {
  const name = markName(siteId)
  const by = randomUUID()
  const found = await readMark(marks, name)
  const step = found?.night === night ? found.step : null
  const passedOver = new Set(found?.passedOver)
  let own: AuditStep | null = null
  let writing: Promise<unknown> = Promise.resolve()

  /** One after another, or an older mark could come to lie over a newer one. */
  function inTurn(write: () => Promise<void>): Promise<void> {
    const next = writing.then(write)
    writing = next.catch(() => {})
    return next
  }
  const write = (mark: Pick<ProgressMark, 'step' | 'isUnderWay'>) =>
    marks.setMark(name, JSON.stringify({ by, night, ...mark, passedOver: [...passedOver] } satisfies ProgressMark))

  function rest(): Promise<void> {
    return inTurn(async () => {
      if (own && (await readMark(marks, name))?.by === by) await write({ step: own, isUnderWay: false })
      own = null
    })
  }
  // At once: a server that closes does not wait for a long step, and its end is no fault of that.
  signal.addEventListener('abort', () => void rest().catch(() => {}), { once: true })

  return {
    from: step && { ...step, ended: step.ended + (found?.isUnderWay ? 1 : 0) },
    passedOver,
    begin(step) {
      signal.throwIfAborted()
      own = step
      return inTurn(() => write({ step, isUnderWay: true }))
    },
    passOver(day) {
      passedOver.add(day)
    },
    rest,
    done(keptDays) {
      own = null
      for (const day of passedOver) if (!keptDays.includes(day)) passedOver.delete(day)
      return inTurn(() => (passedOver.size > 0 ? write({ step: null, isUnderWay: false }) : marks.setMark(name, null)))
    },
  }
}

/** After somebody has audited this day by hand: the next night counts it again. */
export async function forgetPassedOver(marks: Marks, siteId: string, day: string): Promise<void> {
  const name = markName(siteId)
  const found = await readMark(marks, name)
  if (!found?.passedOver.includes(day)) return
  const passedOver = found.passedOver.filter((each) => each !== day)
  await marks.setMark(name, JSON.stringify({ ...found, passedOver } satisfies ProgressMark))
}

function markName(siteId: string): string {
  return `audit under way of ${siteId}`
}

/** null also for what cannot be read: the audit begins anew then. */
async function readMark(marks: Marks, name: string): Promise<ProgressMark | null> {
  const text = await marks.mark(name)
  if (text === null) return null
  try {
    return progressMark.parse(JSON.parse(text))
  } catch {
    return null
  }
}
