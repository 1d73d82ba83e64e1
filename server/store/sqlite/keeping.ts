import { randomUUID } from 'node:crypto'
import { AppError } from '../../errors.ts'
import type { EventKeeping, UsersAudit } from '../store.ts'
import { assertDroppable } from '../unfit.ts'
import { type TotalsStep, totalsDifferences } from './audit/audit-totals.ts'
import { closedError } from './lane.ts'
import type { AnswerOf, AuditOperations, InputOf, ReadOperations, WriteOperations } from './operations.ts'
import { Thread } from './thread.ts'

/** Counts that what comes in may spoil. */
const TRIES = 5
/** Orders that are written in one step, so that batches get their turn. */
const STEP_ORDERS = 500
/** Of a site that is not there. */
const none = { events: 0, users: 0, sessions: 0, firstAt: null, lastAt: null }
const NO_TOTALS = { stored: none, counted: none }

export type Ask = <Name extends keyof ReadOperations & string>(
  name: Name,
  input: InputOf<ReadOperations, Name>,
) => Promise<AnswerOf<ReadOperations, Name>>
export type Write = <Name extends keyof WriteOperations & string>(
  name: Name,
  input: InputOf<WriteOperations, Name>,
) => Promise<AnswerOf<WriteOperations, Name>>

/** Old events and the audit. What takes long goes in steps, or on a thread of its own that nobody waits for. */
export function createKeeping(
  path: string,
  ask: Ask,
  write: Write,
): EventKeeping & {
  /** Ends an audit that goes on. */
  close(): Promise<void>
} {
  let auditor: Thread | undefined
  let isClosed = false

  /** A day of many events takes longer than a question may, and one that is not wanted any more is stopped. */
  async function audit<Name extends keyof AuditOperations>(
    name: Name,
    query: InputOf<AuditOperations, Name>,
    signal?: AbortSignal,
  ): Promise<AnswerOf<AuditOperations, Name>> {
    if (isClosed) throw closedError()
    signal?.throwIfAborted()
    if (!auditor?.alive) auditor = new Thread({ role: 'reader', path })
    const thread = auditor
    const stop = () => thread.stop(new AppError('unavailable', 'The audit was ended.', { cause: signal?.reason }))
    signal?.addEventListener('abort', stop)
    try {
      return (await thread.call(name, query)) as AnswerOf<AuditOperations, Name>
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  /** Counts the user again until nothing came in between. Nothing can be done where a session's row is gone: it has no name. */
  async function mendUser(siteId: string, userId: string, signal?: AbortSignal): Promise<UsersAudit['verdict']> {
    for (let tries = 0; tries < TRIES; tries++) {
      const rows = await audit('countUser', { siteId, userId }, signal)
      if (rows && !rows.isWhole) return 'different'
      if (!rows || (await write('mendUser', { siteId, userId, rows }))) return 'mended'
    }
    return 'busy'
  }

  /** In steps between which others write. */
  async function countTotals(siteId: string, signal?: AbortSignal): Promise<TotalsStep> {
    for (let tries = 1; ; tries++) {
      const run = randomUUID()
      let step: TotalsStep = { state: 'counting' }
      for (let isFirst = true; step.state === 'counting'; isFirst = false) {
        signal?.throwIfAborted()
        step = await write('countTotals', { siteId, run, isFirst })
      }
      if (step.state !== 'lost' || tries === TRIES) return step
    }
  }

  /** Orders that change meanwhile are read again, and left as they are when they change each time. */
  async function mendRepetitions(siteId: string, day: string, signal?: AbortSignal): Promise<void> {
    for (let tries = 1; tries <= TRIES; tries++) {
      const wrong = await audit('wrongRepetitions', { siteId, day }, signal)
      let changed = 0
      for (let from = 0; from < wrong.length; from += STEP_ORDERS) {
        signal?.throwIfAborted()
        changed += await write('mendRepetitions', { siteId, wrong: wrong.slice(from, from + STEP_ORDERS) })
      }
      if (changed === 0) return
    }
  }

  return {
    keptFrom: async () => (await ask('keptFrom', null)) || null,
    eventMonths: () => ask('eventMonths', null),

    async dropMonthsBefore(month, signal) {
      assertDroppable(month)
      await write('keepFrom', month)
      const dropped: number[] = []
      for (;;) {
        signal?.throwIfAborted()
        const step = await write('dropMonth', null)
        if (step === null) break
        if (step.isGone) dropped.push(step.month)
      }
      let place = await write('forgetIds', null)
      while (place) {
        signal?.throwIfAborted()
        place = await write('forgetIds', place)
      }
      return dropped
    },

    async auditDay({ siteId, day, mend, repetitions, signal }) {
      if (mend && repetitions) await mendRepetitions(siteId, day, signal)
      for (let tries = 1; ; tries++) {
        const { figures, ...found } = await audit('auditDay', { siteId, day }, signal)
        if (!mend || !figures) return found
        if (await write('mendDay', { siteId, day, figures })) return { ...found, verdict: 'mended' }
        if (tries === TRIES) return { ...found, verdict: 'busy' }
      }
    },

    async auditUsers({ siteId, since, after, one, mend, signal }) {
      const found = await audit('auditUsers', { siteId, since, after, one }, signal)
      if (!mend || found.verdict !== 'different') return found
      const verdicts = new Set<UsersAudit['verdict']>()
      for (const userId of new Set(found.differences.map((difference) => difference.userId)))
        verdicts.add(await mendUser(siteId, userId, signal))
      const verdict = verdicts.has('different') ? 'different' : verdicts.has('busy') ? 'busy' : 'mended'
      return { ...found, verdict }
    },

    async auditTotals({ siteId, mend, signal }) {
      const found = await countTotals(siteId, signal)
      if (found.state === 'lost') return { verdict: 'busy', lostUsers: 0, differences: [] }
      const { stored, counted } = found.state === 'counted' ? found : NO_TOTALS
      const differences = totalsDifferences(stored, counted)
      if (differences.length === 0) return { verdict: 'equal', lostUsers: 0, differences }
      let lost = 0
      for (let after: number | null = 0; after !== null; ) {
        const step: AnswerOf<AuditOperations, 'lostUsers'> = await audit('lostUsers', { after }, signal)
        lost += step.lost
        after = step.next
      }
      // Users without a row may be in totals that are right.
      if (!mend || lost > 0) return { verdict: 'different', lostUsers: lost, differences }
      await write('mendTotals', { siteId, stored, counted })
      return { verdict: 'mended', lostUsers: 0, differences }
    },

    async close() {
      isClosed = true
      auditor?.stop(closedError())
      await auditor?.ended
    },
  }
}
