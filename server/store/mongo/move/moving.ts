import type { Collection } from 'mongodb'
import type { MovedKind, MovedRows, MovingStore } from '../../store.ts'
import { READ_TIMEOUT_MS } from '../client.ts'
import type { Collections } from '../collections.ts'
import { mark, setMark } from '../marks.ts'
import { type ScanPlace, scan } from '../read/scan.ts'
import { movedFigures, putFigures } from './figures.ts'

type Row = Record<string, unknown> & { _id: string }

/** A kind by its collection and the field that is the _id there. */
const shapes: { [Kind in MovedKind]: { collection: keyof Collections; key: keyof MovedRows[Kind] & string } } = {
  sites: { collection: 'sites', key: 'id' },
  accounts: { collection: 'accounts', key: 'id' },
  logins: { collection: 'logins', key: 'tokenHash' },
  invitations: { collection: 'invitations', key: 'tokenHash' },
  tokens: { collection: 'tokens', key: 'tokenHash' },
  keys: { collection: 'keys', key: 'keyHash' },
  jobs: { collection: 'jobs', key: 'name' },
}

/** Fields that are this engine's own. */
const OWN_FIELDS = { isZoneFixed: 0, isFirst: 0, owner: 0, leaseUntil: 0 }
const PAGE_ROWS = 1000

/** `settle` folds what is finished. */
export function createMoving(rows: Collections, settle: () => Promise<void>): MovingStore {
  const of = (kind: MovedKind) => rows[shapes[kind].collection] as unknown as Collection<Row>
  return {
    async rows<Kind extends MovedKind>(kind: Kind, after: string | null) {
      const found = await of(kind)
        .find({ _id: { $gt: after ?? '' } }, { projection: OWN_FIELDS, maxTimeMS: READ_TIMEOUT_MS })
        .sort({ _id: 1 })
        .limit(PAGE_ROWS)
        .toArray()
      // Keys of before have no origins.
      const missing = kind === 'keys' ? { origins: null } : {}
      return found.map(({ _id, ...row }) => ({
        [shapes[kind].key]: _id,
        ...missing,
        ...row,
      })) as unknown as MovedRows[Kind][]
    },

    async putRows(kind, moved) {
      const own = kind === 'jobs' ? { owner: null, leaseUntil: 0 } : {}
      for (const row of moved) {
        const { [shapes[kind].key]: _id, ...fields } = row as unknown as Record<string, unknown>
        await of(kind).updateOne({ _id: String(_id) }, { $set: { ...fields, ...own } }, { upsert: true })
      }
    },

    async clearRows(kind) {
      await of(kind).deleteMany({})
    },

    async events(siteId, place) {
      const from = place === null ? null : (JSON.parse(place) as ScanPlace)
      const { events, next } = await scan(rows, siteId, undefined, from)
      return { events, next: next && JSON.stringify(next) }
    },

    figures: (siteId, place) => movedFigures(rows, siteId, place),

    async putFigures(siteId, figures) {
      await settle()
      await putFigures(rows, siteId, figures)
    },

    async state() {
      await settle()
      const head = await rows.head.findOne({ _id: 'head' })
      const unfinished = await rows.ledger.countDocuments({ state: { $in: ['prep', 'left', 'done'] } })
      return { written: String(head?.applied ?? 0), unfinished }
    },

    mark: (name) => mark(rows, name),
    setMark: (name, value) => setMark(rows, name, value),
  }
}
