import { AppError } from '../../../errors.ts'
import type { Collections } from '../collections.ts'
import type { Folder } from '../write/folder.ts'
import { readHead } from '../write/folder.ts'
import type { Gate } from '../write/gate.ts'

/** Asks again for this long when folds come in between. */
const PATIENCE_MS = 5000

export interface Asking {
  rows: Collections
  folder: Folder
  gate: Gate
}

/**
 * Answers a question that takes several rows from one state of the roll-ups: no fold may have been written while they
 * were read. A fold that stands half-way is finished first, whoever began it.
 */
export async function inOneState<T>({ rows, folder, gate }: Asking, question: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const answer = await gate.ask(async () => {
      const before = await readHead(rows)
      if (before.phase === 'apply') return null
      const answer = await question()
      const after = await readHead(rows)
      return after.phase !== 'apply' && after.applied === before.applied ? { answer } : null
    })
    if (answer) return answer.answer
    if (Date.now() > deadline) throw new AppError('unavailable', 'The figures are changing too fast to be read.')
    await folder.turn()
  }
}
