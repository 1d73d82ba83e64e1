import { AppError } from '../../errors.ts'
import type { EventKeeping } from '../store.ts'
import { assertDroppable } from '../unfit.ts'
import { closedError } from './lane.ts'
import type { AnswerOf, InputOf, ReadOperations, WriteOperations } from './operations.ts'
import { Thread } from './thread.ts'

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
  async function audit<Name extends 'auditDay' | 'auditUsers' | 'auditTotals'>(
    name: Name,
    query: InputOf<ReadOperations, Name>,
    signal?: AbortSignal,
  ): Promise<AnswerOf<ReadOperations, Name>> {
    if (isClosed) throw closedError()
    signal?.throwIfAborted()
    if (!auditor?.alive) auditor = new Thread({ role: 'reader', path })
    const thread = auditor
    const stop = () => thread.stop(new AppError('unavailable', 'The audit was ended.', { cause: signal?.reason }))
    signal?.addEventListener('abort', stop)
    try {
      return (await thread.call(name, query)) as AnswerOf<ReadOperations, Name>
    } finally {
      signal?.removeEventListener('abort', stop)
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

    async auditDay({ siteId, day, mend, signal }) {
      const found = await audit('auditDay', { siteId, day }, signal)
      return mend && found.verdict === 'different' ? write('mendDay', { siteId, day }) : found
    },

    async auditUsers({ siteId, since, after, mend, signal }) {
      const found = await audit('auditUsers', { siteId, since, after }, signal)
      if (!mend || found.verdict !== 'different') return found
      const userIds = [...new Set(found.differences.map(({ userId }) => userId))]
      let isMended = true
      for (const userId of userIds) isMended = (await write('mendUser', { siteId, userId })) && isMended
      return { ...found, verdict: isMended ? 'mended' : 'different' }
    },

    async auditTotals({ siteId, mend, signal }) {
      const found = await audit('auditTotals', { siteId }, signal)
      return mend && found.verdict === 'different' ? write('mendTotals', { siteId }) : found
    },

    async close() {
      isClosed = true
      auditor?.stop(closedError())
      await auditor?.ended
    },
  }
}
