import { READ_TIMEOUT_MS } from '../client.ts'
import type { Collections } from '../collections.ts'
import { readHead } from '../write/head.ts'

/**
 * Grows with each batch that is finished and with each fold, and asks for none: until the next fold batches are only
 * added to those that wait, and a fold has a number of its own.
 */
export async function written(rows: Collections): Promise<string> {
  const [{ applied }, waiting] = await Promise.all([
    readHead(rows),
    rows.ledger.countDocuments({ state: 'done' }, { maxTimeMS: READ_TIMEOUT_MS }),
  ])
  return `${applied}.${waiting}`
}
