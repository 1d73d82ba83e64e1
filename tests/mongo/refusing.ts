import { type BulkWriteResult, type Collection, MongoBulkWriteError, type WriteError } from 'mongodb'
import type { Collections } from '../../server/store/mongo/collections.ts'
import type { ClaimRow, EventRow } from '../../server/store/mongo/rows.ts'

/** Collections that reject some events, or claims of their ids, like a validation rule of the database. */
export function refusing(
  rows: Collections,
  isRefused: (event: EventRow) => boolean,
  isRefusedClaim: (claim: ClaimRow) => boolean = () => false,
): Collections {
  return {
    ...rows,
    claims: picky(rows.claims, isRefusedClaim),
    events: (month) => picky(rows.events(month), isRefused),
  }
}

function picky<Row extends { _id: string }>(
  collection: Collection<Row>,
  isRefused: (row: Row) => boolean,
): Collection<Row> {
  return new Proxy(collection, {
    get(target, name) {
      if (name !== 'insertMany') {
        const member: unknown = Reflect.get(target, name)
        return typeof member === 'function' ? member.bind(target) : member
      }
      return async (documents: Row[], ...options: unknown[]) => {
        const insert = target.insertMany.bind(target) as (...args: unknown[]) => Promise<unknown>
        const refused = documents.flatMap((row, index) => (isRefused(row) ? [index] : []))
        if (refused.length === 0) return insert(documents, ...options)
        const writeErrors = refused.map((index) => ({ index, code: 121, errmsg: 'not here' }) as WriteError)
        const taken = documents.filter((row) => !isRefused(row))
        if (taken.length > 0)
          await insert(taken, ...options).catch((error: unknown) => {
            if (!(error instanceof MongoBulkWriteError)) throw error
            for (const each of [error.writeErrors].flat())
              writeErrors.push({ index: documents.indexOf(taken[each.index]!), code: each.code } as WriteError)
          })
        const nothing = { getWriteConcernError: () => undefined } as unknown as BulkWriteResult
        throw new MongoBulkWriteError({ message: 'refused', writeErrors, code: 121 }, nothing)
      }
    },
  })
}
