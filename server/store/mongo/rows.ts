import type { Binary, Long, Timestamp } from 'mongodb'
import type { AsideReason } from '../../../trpc/schema/common.ts'
import type { Repetitions } from '../orders.ts'
import type { JobState, ToldLog } from '../store.ts'

/** Documents as they are kept. Times are epoch milliseconds, gross is minor units, `fold` is the last fold that wrote. */

/** Whose event an id is: the batch that stored it and the time when that had begun, in the month (YYYYMM, UTC) of its row. */
export interface ClaimRow {
  _id: string
  batch: string
  month: number
  /** What tells an event from another under its id; ids of before have none. */
  digest?: number
  /** The month of a row that a batch has left under this id which did not come to its end; it goes before the new one. */
  instead?: number
}

/** A process that stores events, for as long as it lives. `seenAt` is by the database's clock. */
export interface WriterRow {
  _id: string
  host: string
  seenAt: Date
}

/** An event, in events_YYYYMM. `user` is the _id of its user's row. */
export interface EventRow {
  _id: string
  user: string
  session: string
  type: string
  at: number
  seq: number
  received: number
  /** JSON, so that it comes back to the character: BSON knows neither half surrogates nor the order of keys like "1". */
  payload: string | null
  issues: string | null
  /** Only on those of a browser's key. */
  claimed?: true
}

/** A Long where no number holds it. */
export type ExactSum = number | Long
/** Orders and gross by currency. */
export type MoneySums = [
  currency: string,
  orders: number,
  gross: ExactSum,
  claimedOrders: number,
  claimedGross: ExactSum,
][]
export type AsideSums = [reason: AsideReason, currency: string, purchases: number, gross: ExactSum][]
export type Counts<Key> = [key: Key, events: number][]

export interface UserRow {
  _id: string
  fold: number
  site: string
  /** Order key of the user id. */
  user: string
  events: number
  sessions: number
  orders: number
  firstAt: number
  lastAt: number
  /** Active days, ascending, packed. */
  days: Binary
  money: MoneySums
}

export interface SessionRow {
  _id: string
  fold: number
  /** _id of the user's row. */
  user: string
  /** Order key of the session id. */
  session: string
  startAt: number
  endAt: number
  events: number
  orders: number
  money: MoneySums
}

/** The purchase that an order counts by. */
export interface OrderRow {
  _id: string
  fold: number
  at: number
  seq: number
  event: string
  user: string
  session: string
  currency: string
  gross: number
  claimed?: true
  /** Other purchases of the order, where there are any. */
  others?: Repetitions
}

export interface DayRow {
  _id: string
  fold: number
  events: number
  users: number
  sessions: number
  orderingSessions: number
  orders: number
  types: Counts<string>
  money: MoneySums
  aside?: AsideSums
  hours: Counts<number>
  /** Users by their previous active day (docs/decisions/003): day, users, day, users …, packed. */
  pairs: Binary
}

export interface TotalsRow {
  _id: string
  fold: number
  events: number
  users: number
  sessions: number
  firstAt: number
  lastAt: number
  lastReceivedAt: number
}

/** The collections that only folds write. */
export interface Rollups {
  users: UserRow
  sessions: SessionRow
  orders: OrderRow
  days: DayRow
  totals: TotalsRow
}
export type RollupName = keyof Rollups
export const rollupNames: readonly RollupName[] = ['users', 'sessions', 'orders', 'days', 'totals']

export interface BatchRow {
  _id: string
  /**
   * prep: begun. done: its events are stored, its figures wait in `summary`. folded: they are in the roll-ups. left: its
   * process is gone, and others bring to an end what it has left. ended: they did (left-batches.ts).
   */
  state: 'prep' | 'done' | 'folded' | 'left' | 'ended'
  begunAt: Date
  /** The process that works on it. */
  owner?: string
  /** The _ids of its events as JSON, until it is finished; none where they are very long. */
  ids?: Binary
  /** When those of its lives had begun that ended without it being finished, epoch milliseconds: their claims are void. */
  ended?: number[]
  /** By the database's clock: folds take the oldest first. */
  doneAt?: Date
  foldedAt?: Date
  events?: number
  stored?: number
  /** Rows of users and sessions that its figures change. */
  rows?: number
  duplicates?: number[]
  reasons?: [index: number, reason: string][]
  /** Of these, what the database did not take. */
  doubtful?: number[]
  summary?: Binary
}

/** The one document that says which fold is going on. Moved only by compare-and-set. */
export interface HeadRow {
  _id: 'head'
  /** The last fold that is in every roll-up. The one going on is the next number. */
  applied: number
  /** plan: its rows are being worked out and none has changed. apply: they are being written. */
  phase: 'idle' | 'plan' | 'apply'
  batches: string[]
  plan: string
  parts: number
  /** Who works on it, and a number that grows for as long as it does. */
  owner: string
  beat: number
  /** Set by a question that folds have overtaken too often: no fold is to be applied until it is '' again. */
  hold: string
  /** Of the cluster, by which a majority of every shard had the rows of the folds up to `applied` (causal.ts). */
  time?: Timestamp
  /** Plans of the folds after `from` stay until then (kept-plans.ts). */
  keep?: { owner: string; from: number; until: Date }
}

/** Some of the rows that a fold comes to: kept until all are written, so that anybody can finish it. */
export interface PlanRow {
  _id: string
  fold: number
  /** Of PlannedRow, as BSON: a server need not read it. */
  rows: Binary
  /** Of a kept plan that was applied: its parts. */
  certain?: number
}
/**
 * A row of a plan. `set` is what changes of a row that is there; without it the row is replaced. In a plan that was kept
 * the row of a `set` is its _id alone.
 */
export type PlannedRow = { [Name in RollupName]: PlannedRowOf<Name> }[RollupName] | GoneRow
/** A row that is to go. Programs that do not know of such rows leave it. */
interface GoneRow {
  into: 'gone'
  from: RollupName
  row: { _id: string }
}
interface PlannedRowOf<Name extends RollupName> {
  into: Name
  isNew: boolean
  row: Rollups[Name]
  set?: Partial<Rollups[Name]>
}

export interface SiteRow {
  _id: string
  name: string
  timeZone: string
  currency: string
  /** Events are counted by the zone's days: it stays as it is. */
  isZoneFixed?: boolean
}

export interface AccountRow {
  _id: string
  email: string
  name: string
  role: 'owner' | 'analyst'
  passwordHash: string
  createdAt: number
  /** On the one that was to be the first; unique. */
  isFirst?: true
  /** On an owner who is being removed: does not count as the one who stays. Milliseconds since 1970. */
  leavingAt?: number
}

export interface LoginRow {
  _id: string
  accountId: string
  createdAt: number
  expiresAt: number
}

export interface InvitationRow {
  _id: string
  email: string
  createdAt: number
  expiresAt: number
}

export interface TokenRow {
  _id: string
  name: string
  accountId: string | null
  createdAt: number
}

export interface KeyRow {
  _id: string
  siteId: string
  kind: 'pk' | 'sk'
  name: string
  eventsPerSecond: number | null
  /** Keys of before have none. */
  origins?: string | null
  createdAt: number
}

/** What waits in the logs of a data folder, by the folder. */
export interface LogRow extends Omit<ToldLog, 'abandoned' | 'answersOnly'> {
  _id: string
  abandoned?: number
  answersOnly?: boolean
  /** By the database's clock. */
  toldAt: Date
}

/** As JobState, whose name is the _id. */
export type JobRow = Omit<JobState, 'name'> & { _id: string }

export interface MonthRow {
  _id: number
}

export interface MetaRow {
  _id: 'store'
  /** The oldest format that a program must know to use the database: what every release looks at. */
  version: number
  /** Steps that were done, where that is not the same. */
  format?: number
  /** A backup is being put in, or was not to its end. */
  restoring?: true
}

/** Which process works on the format of the database, and what the copy that it kept is of. */
export interface StepRow {
  _id: 'work' | 'copy'
  owner?: string
  beat?: number
  format?: number
  collections?: string[]
  madeAt?: number
}

/** A fact about the store by its name. */
export interface MarkRow {
  _id: string
  value: string
}
