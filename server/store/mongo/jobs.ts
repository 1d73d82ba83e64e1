import type { UpdateFilter } from 'mongodb'
import type { JobNote, JobStore } from '../store.ts'
import { isDuplicateKey, READ_TIMEOUT_MS } from './client.ts'
import type { Collections } from './collections.ts'
import type { JobRow } from './rows.ts'

const bounded = { maxTimeMS: READ_TIMEOUT_MS }

const unknown: Omit<JobRow, '_id' | 'owner' | 'leaseUntil'> = {
  doneThrough: null,
  lastSuccessAt: null,
  lastFailureAt: null,
  lastError: null,
  failures: 0,
  retryAt: 0,
  succeeded: 0,
  failed: 0,
}

export function createJobStore(writing: Collections, asking: Collections): JobStore {
  return {
    async claim({ name, owner, now, until }) {
      try {
        // One step: a job that the filter leaves out is there, and cannot be inserted a second time.
        const { matchedCount, upsertedCount } = await writing.jobs.updateOne(
          { _id: name, $or: [{ owner: null }, { owner }, { leaseUntil: { $lte: now } }] },
          { $set: { owner, leaseUntil: until }, $setOnInsert: unknown },
          { upsert: true },
        )
        return matchedCount + upsertedCount > 0
      } catch (error) {
        if (isDuplicateKey(error)) return false
        throw error
      }
    },

    async release({ name, owner }) {
      await writing.jobs.updateOne({ _id: name, owner }, { $set: { owner: null, leaseUntil: 0 } })
    },

    async note({ name, owner, note }) {
      const { matchedCount } = await writing.jobs.updateOne({ _id: name, owner }, changeOf(note))
      return matchedCount > 0
    },

    async list() {
      const rows = asking.jobs.find({}, bounded).sort({ _id: 1 })
      return rows.map(({ _id, ...row }) => ({ name: _id, ...row })).toArray()
    },
  }
}

function changeOf(note: JobNote): UpdateFilter<JobRow> {
  switch (note.kind) {
    case 'begun':
      return { $set: { doneThrough: note.doneThrough } }
    case 'succeeded':
      return {
        $set: {
          lastSuccessAt: note.at,
          lastError: null,
          failures: 0,
          retryAt: 0,
          ...(note.doneThrough !== null && { doneThrough: note.doneThrough }),
        },
        $inc: { succeeded: 1 },
      }
    case 'failed':
      return {
        $set: { lastFailureAt: note.at, lastError: note.error, retryAt: note.retryAt },
        $inc: { failures: 1, failed: 1 },
      }
  }
}
