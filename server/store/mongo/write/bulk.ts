import { MongoBulkWriteError, type WriteError } from 'mongodb'
import { DUPLICATE_KEY } from '../client.ts'

/** What an unordered bulk did not write: documents whose key was there, and documents that the server will not have. */
export interface Unwritten {
  duplicates: number[]
  refused: Map<number, string>
}

/**
 * Waits for an unordered bulk and sorts its errors, each by its own code: that of the whole error is only the first
 * one's. Throws when the outcome of any document is unknown or may change with another try.
 */
export async function unwritten(bulk: Promise<unknown>): Promise<Unwritten> {
  const result: Unwritten = { duplicates: [], refused: new Map() }
  try {
    await bulk
  } catch (error) {
    // Written, but perhaps not on a majority's disks: as good as unknown.
    if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError()) throw error
    const errors = writeErrors(error)
    if (errors.length === 0) throw error
    for (const { code, index, errmsg } of errors) {
      if (code === DUPLICATE_KEY) result.duplicates.push(index)
      else if (OF_THE_DOCUMENT.has(code)) result.refused.set(index, errmsg ?? `error ${code}`)
      else throw error
    }
  }
  return result
}

function writeErrors({ writeErrors }: MongoBulkWriteError): readonly WriteError[] {
  return [writeErrors].flat()
}

/**
 * BadValue, FailedToParse, TypeMismatch, Overflow, InvalidBSON, names of fields, DocumentValidationFailure,
 * BSONObjectTooLarge and the older numbers of too large documents and keys. Everything else is the server's trouble, not the document's.
 */
const OF_THE_DOCUMENT = new Set<unknown>([2, 9, 14, 15, 22, 52, 56, 57, 121, 10334, 17280, 17419, 17420])
