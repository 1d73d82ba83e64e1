import { monthOf } from '../../../analysis/months.ts'
import { ID_OF_ANOTHER, idBesideClaim, isBesideClaim, isOtherEvent } from '../../event-digest.ts'
import type { BatchOutcome, EventFate } from '../../store.ts'
import { notKept } from '../../unfit.ts'
import { TotalsCount } from '../audit/totals-count.ts'
import type { Database } from '../database.ts'
import { encodeEventId } from '../event-id.ts'
import { keptFrom } from '../retention.ts'
import { Known } from './known.ts'
import { findOutcome, saveOutcome } from './ledger.ts'
import { trustOf } from './money.ts'
import { Numbers } from './numbers.ts'
import type { PackedBatch } from './pack.ts'
import type { SessionDelta } from './session-delta.ts'
import { SiteBatch, type SiteRow } from './site-batch.ts'

/**
 * Batches in one transaction, so that pages they share are written and synced once: rows, roll-ups and each batch's
 * ledger row, all or nothing. A batch that is in the ledger changes nothing.
 */
export function insertBatches(db: Database, batches: PackedBatch[]): BatchOutcome[] {
  const known = Known.of(db)
  try {
    return db.write(() => {
      known.refresh(db)
      const totals = TotalsCount.standing(db)
      const outcomes = batches.map((batch) => findOutcome(db, batch) ?? insert(db, known, totals, batch))
      totals?.save()
      return outcomes
    })
  } catch (error) {
    known.forget()
    throw error
  }
}

interface NewEvent {
  index: number
  month: number
  typeNo: number
  eventId: string | Uint8Array
  session: SessionDelta
}

function insert(db: Database, known: Known, totals: TotalsCount | null, batch: PackedBatch): BatchOutcome {
  const sites = new Sites(db, known)
  const types = new Map<string, number>()
  const firstMonth = keptFrom(db)
  const events: NewEvent[] = []
  const fates: EventFate[] = []
  const reasons = { ...batch.reasons }
  for (let index = 0; index < batch.eventIds.length; index++) {
    const site = batch.reasons[index] === undefined ? sites.get(batch.siteIds[index]!) : null
    if (!site) {
      reasons[index] ??= 'siteId is of no site'
      fates.push('refused')
      continue
    }
    const occurredAt = batch.occurredAt[index]!
    const month = monthOf(occurredAt)
    if (month < firstMonth) {
      reasons[index] = notKept(firstMonth)
      fates.push('refused')
      continue
    }
    const digest = batch.digests[index]!
    const claim = (eventId: string) => claimId(db, { siteNo: site.siteNo, eventId, month, digest })
    let eventId = batch.eventIds[index]!
    let holder = claim(eventId)
    if (holder && isBesideClaim(holder.digest, digest, batch.types[index]!)) {
      eventId = idBesideClaim(eventId)
      holder = claim(eventId)
    }
    if (holder) {
      fates.push('duplicate')
      if (isOtherEvent(holder.digest, digest)) reasons[index] = ID_OF_ANOTHER
      continue
    }
    fates.push('stored')
    const typeNo = typeOf(db, types, batch.types[index]!)
    const session = site.add(
      batch.userIds[index]!,
      batch.sessionIds[index]!,
      typeNo,
      {
        ...{ occurredAt, seq: batch.seq[index]!, eventId },
        trust: trustOf(batch.claimed[index]!),
      },
      batch.receivedAt[index]!,
      batch.purchases.get(index),
    )
    events.push({ index, month, typeNo, eventId: encodeEventId(eventId), session })
  }
  for (const site of sites.all()) site.load()
  insertEvents(db, batch, events)
  for (const site of sites.all()) site.save(totals)
  return saveOutcome(db, batch.id, fates, reasons)
}

interface Claim {
  siteNo: number
  eventId: string
  month: number
  digest: number
}

/** Null when the id is this event's from now on, else what is known of the event that has it. */
function claimId(db: Database, { siteNo, eventId, month, digest }: Claim): { digest: number | null } | null {
  const id = encodeEventId(eventId)
  if (db.run(INSERT_EVENT_ID, siteNo, id, month, digest) !== 0) return null
  return db.get<{ digest: number | null }>(SELECT_DIGEST, siteNo, id)!
}

/** The sites of one batch. */
class Sites {
  readonly #db: Database
  readonly #known: Known
  readonly #numbers: Numbers
  readonly #sites = new Map<string, SiteBatch | null>()

  constructor(db: Database, known: Known) {
    this.#db = db
    this.#known = known
    this.#numbers = new Numbers(db)
  }

  /** null when there is no such site. */
  get(siteId: string): SiteBatch | null {
    let site = this.#sites.get(siteId)
    if (site === undefined) {
      const row = this.#db.get<SiteRow>('SELECT site_no, time_zone FROM sites WHERE id = ?', siteId)
      site = row ? new SiteBatch(this.#db, this.#known, this.#numbers, row) : null
      this.#sites.set(siteId, site)
    }
    return site
  }

  all(): SiteBatch[] {
    return [...this.#sites.values()].filter((site) => site !== null)
  }
}

function typeOf(db: Database, types: Map<string, number>, name: string): number {
  let typeNo = types.get(name)
  if (typeNo === undefined) {
    db.run('INSERT OR IGNORE INTO event_types (name) VALUES (?)', name)
    typeNo = db.get<{ type_no: number }>('SELECT type_no FROM event_types WHERE name = ?', name)!.type_no
    types.set(name, typeNo)
  }
  return typeNo
}

function insertEvents(db: Database, batch: PackedBatch, events: NewEvent[]): void {
  for (const month of new Set(events.map((event) => event.month))) {
    makeMonth(db, month)
    const statement = db.prepare(`INSERT INTO events_${month}
      (user_no, session_no, type_no, occurred_at, received_at, seq, event_id, payload, issues, claimed)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
    for (const event of events) {
      if (event.month !== month) continue
      const { index, session } = event
      statement.run(
        session.userNo,
        session.sessionNo,
        event.typeNo,
        batch.occurredAt[index]!,
        batch.receivedAt[index]!,
        batch.seq[index]!,
        event.eventId,
        batch.payloads[index]!,
        batch.issues[index]!,
        batch.claimed[index]!,
      )
    }
  }
}

/** The indexes hold all that is asked for of many events at once, so that these are not read themselves. */
function makeMonth(db: Database, month: number): void {
  if (db.get('SELECT month FROM months WHERE month = ?', month)) return
  db.exec(`CREATE TABLE events_${month} (
    event_no INTEGER PRIMARY KEY,
    user_no INTEGER NOT NULL,
    session_no INTEGER NOT NULL,
    type_no INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event_id ANY NOT NULL,
    payload TEXT,
    issues TEXT,
    claimed INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX events_${month}_by_user ON events_${month} (user_no, occurred_at, seq, type_no);
  CREATE INDEX events_${month}_by_time ON events_${month} (occurred_at, user_no, session_no, type_no)`)
  db.run('INSERT INTO months (month) VALUES (?)', month)
}

const INSERT_EVENT_ID = 'INSERT OR IGNORE INTO event_ids (site_no, event_id, month, digest) VALUES (?, ?, ?, ?)'
const SELECT_DIGEST = 'SELECT digest FROM event_ids WHERE site_no = ? AND event_id = ?'
