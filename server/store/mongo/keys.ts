import { AppError } from '../../errors.ts'
import type { KeyStore, WriteKey } from '../store.ts'
import { READ_TIMEOUT_MS } from './client.ts'
import type { Collections } from './collections.ts'
import type { KeyRow } from './rows.ts'

const bounded = { maxTimeMS: READ_TIMEOUT_MS }

export function createKeyStore(writing: Collections, asking: Collections): KeyStore {
  return {
    async create({ keyHash, siteId, kind, name, eventsPerSecond, origins, createdAt }) {
      // Sites are never removed, so it is there when the key is.
      if (!(await writing.sites.findOne({ _id: siteId }, bounded)))
        throw new AppError('not_found', `There is no site ${siteId}.`, { field: 'site' })
      await writing.keys.insertOne({ _id: keyHash, siteId, kind, name, eventsPerSecond, origins, createdAt })
    },

    async byHash(keyHash) {
      const row = await asking.keys.findOne({ _id: keyHash }, bounded)
      return row && toKey(row)
    },

    async digests(most) {
      const rows = asking.keys.find({}, { ...bounded, projection: { _id: 1 } }).limit(most)
      return rows.map(({ _id }) => _id).toArray()
    },

    async list(siteId) {
      const rows = asking.keys.find({ siteId }, bounded).sort([
        ['createdAt', 1],
        ['_id', 1],
      ])
      return rows.map((row) => ({ ...toKey(row), keyHash: row._id })).toArray()
    },

    async revoke(keyHash) {
      const { deletedCount } = await writing.keys.deleteOne({ _id: keyHash }, bounded)
      return deletedCount > 0
    },
  }
}

/** Keys of before have no origins. */
function toKey({ siteId, kind, name, eventsPerSecond, origins = null, createdAt }: KeyRow): WriteKey {
  return { siteId, kind, name, eventsPerSecond, origins, createdAt }
}
