import type { Account } from '../../trpc/schema/account.ts'
import type { AsideSum, Money, Site, SortOrder, Trust } from '../../trpc/schema/common.ts'
import type { PayloadIssue } from '../../trpc/schema/event.ts'
import type { MissingReason } from '../../trpc/schema/stats.ts'
import type { UserSort } from '../../trpc/schema/users.ts'
import type { DayFigures, OrderFigures, SessionFigures, TotalFigures, UserFigures } from './figures.ts'

/**
 * What an engine must answer. Two engines implement it (sqlite, mongo) and pass one conformance suite
 * (conformance.ts). All times are epoch milliseconds, all days "YYYY-MM-DD" of the site's zone, all money integer
 * minor units. Definitions of the figures: docs/numbers.md.
 */
export interface Store extends EventWriting, EventReading, EventKeeping, SiteStore {
  readonly engine: 'sqlite' | 'mongo'
  readonly accounts: AccountStore
  readonly keys: KeyStore
  readonly jobs: JobStore
  readonly moving: MovingStore
  /** In engines that several machines may share. */
  readonly logs?: LogBoard
  /** Throws when the store cannot answer; resolves quickly when it can. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** One event as it is kept. Unique by (siteId, eventId); order is (occurredAt, seq, eventId). */
export interface StoredEvent {
  eventId: string
  siteId: string
  userId: string
  sessionId: string
  type: string
  payload: Record<string, unknown> | null
  occurredAt: number
  receivedAt: number
  /** Order of arrival: see eventSeq. */
  seq: number
  trust: Trust
  /** What is odd about the payload. Whether a purchase counts as an order is another question: see readPurchase. */
  issues: PayloadIssue[] | null
}

const SEQ_EPOCH_MS = Date.UTC(2020, 0, 1)
/** More than the events one request may hold. */
const SEQ_STEP = 4096

/**
 * The least place in the order of arrival that an event of this moment can have, as one safe integer (until the year
 * 2089). The door gives later ones where a moment has more than one request.
 */
export function eventSeq(receivedAt: number, index: number): number {
  return (receivedAt - SEQ_EPOCH_MS) * SEQ_STEP + index
}

/** The first moment, epoch ms, whose places are all behind those before this one. */
export function momentAfter(place: number): number {
  return SEQ_EPOCH_MS + Math.ceil(place / SEQ_STEP)
}

export interface EventBatch {
  /** The same events in the same order under the same id, however often it is run. */
  id: string
  events: StoredEvent[]
}

export type EventFate = 'stored' | 'duplicate' | 'refused'

export interface BatchOutcome {
  /** One per event of the batch, in its order. */
  fates: EventFate[]
  /** Why an event was refused, or is a duplicate that is no repetition (event-digest.ts), by its index. */
  reasons: Record<number, string>
  stored: number
  duplicate: number
  refused: number
  /**
   * Of the refused, those that the database itself did not take: they or it may be at fault. Nothing of them is kept, so
   * that another batch may bring them.
   */
  doubtful?: number[]
}

/** What became of the events of a batch, by their type. */
export type Tally = Record<
  string,
  { stored: number; duplicate: number /** Stored with a payload that does not fit its type. */; warned: number }
>

export interface EventWriting {
  /**
   * Rows, roll-ups and the batch's ledger row in one atomic step. Running the same batch id again changes nothing and
   * returns the first outcome. Rejects when the outcome is unknown or the store is away: run it again, same id. Rejects
   * with nothing kept, and not as unavailable, where the database takes none of its events.
   */
  insertBatch(batch: EventBatch): Promise<BatchOutcome>
  /**
   * The same for requests as they lie in the log, in engines with a thread that reads them, so that the loop which
   * answers requests need not. All or nothing, idempotent and rejecting as insertBatch, by the same ids.
   */
  insertFrames?(batch: FrameBatch): Promise<FrameOutcome>
}

/** Requests as the log keeps them (server/ingest/frame.ts). */
export interface FrameBatch {
  id: string
  frames: readonly { receivedAt: number; events: number; payload: Uint8Array }[]
}

export interface FrameOutcome {
  stored: number
  duplicate: number
  types: Tally
  /** Events that are not in the store and why; `raw` is what was posted, where it is no event any more. */
  letters: { event: StoredEvent | null; raw?: unknown; reason: string }[]
  /** Those of the duplicates that are not the event which has their id. */
  conflicts: StoredEvent[]
}

export interface EventReading {
  /** Figures of the days from..to (inclusive). Cost grows with the days, never with the events. */
  overview(query: { siteId: string; from: string; to: string }): Promise<OverviewRow>
  /**
   * The same up to an instant of the last day: that day is counted from its events, which takes the longer the more it
   * has. Those who ask for the same at about the same time share one count, and one is made at a time.
   */
  overviewUntil(query: UntilQuery): Promise<UntilRow | { missing: MissingReason }>
  /** Events per hour of the days from..to; only hours that have events, ascending. */
  hours(query: { siteId: string; from: string; to: string }): Promise<{ start: number; events: number }[]>
  totals(siteId: string): Promise<TotalsRow>
  /** A text that is another one after each batch that is stored. Cheap: it holds up nothing and works nothing out. */
  written(): Promise<string>
  listUsers(query: UserListQuery): Promise<{ users: UserRow[]; total: number }>
  /**
   * The users of a list, each once and none missing, however many events come in while they are read: all of one state
   * (sqlite), or each as it was within the seconds that this takes (mongo). To be closed.
   */
  fixUsers(query: Pick<UserListQuery, 'siteId' | 'sort' | 'order' | 'prefix'>): Promise<FixedUsers>
  user(query: { siteId: string; userId: string }): Promise<UserRow | null>
  journey(query: JourneyQuery): Promise<StoredEvent[]>
  /** Newest start first. `ids` asks for these sessions only. */
  sessions(query: {
    siteId: string
    userId: string
    limit: number
    after?: { start: number; sessionId: string }
    ids?: string[]
  }): Promise<SessionRow[]>
  /** Which purchases these orders count by; those without an order are left out. */
  orders(query: { siteId: string; orderIds: string[] }): Promise<OrderRow[]>
  /**
   * Every event of the site in no particular order, for audits, exports and column segments. With a range only what
   * occurred in it (`to` exclusive): it reads the months that the range touches, in steps that hold up nobody.
   */
  scanEvents(siteId: string, range?: TimeRange): AsyncIterable<StoredEvent[]>
}

/** Of occurredAt, in epoch milliseconds. */
export interface TimeRange {
  /** Inclusive. */
  from: number
  /** Exclusive. */
  to: number
}

/** What is kept of old events, and whether the figures still fit those that are. Months are numbers YYYYMM, UTC. */
export interface EventKeeping {
  /** The first month whose events are kept; null when none was ever dropped. Events before it are refused. */
  keptFrom(): Promise<number | null>
  /** Months that have events, ascending. Their numbers may be some too many after an unclean stop. */
  eventMonths(): Promise<{ month: number; events: number }[]>
  /**
   * Drops the events of every month before this one with their ids, and refuses such events from now on. Figures stay.
   * May stop anywhere and be run again. Returns the months that were dropped.
   */
  dropMonthsBefore(month: number, signal?: AbortSignal): Promise<number[]>
  /**
   * Compares what the figures of a day say with what its events come to; `mend` puts right what differs. With
   * `repetitions`, it first puts right which repetitions orders keep for that day: rules of time zones decide on that.
   */
  auditDay(query: DayQuery & { mend: boolean; repetitions?: boolean; signal?: AbortSignal }): Promise<DayAudit>
  /** The same of users and their sessions, some users in a step, in the order of their ids. */
  auditUsers(query: UsersAuditQuery & { mend: boolean; signal?: AbortSignal }): Promise<UsersAudit>
  /** The same of the totals of a site, whose parts are its users. */
  auditTotals(query: { siteId: string; mend: boolean; signal?: AbortSignal }): Promise<TotalsAudit>
}

export interface UsersAuditQuery {
  siteId: string
  /** Only users who were active since; 0 for everybody. */
  since: number
  /** Where the step begins: what the step before gave as `next`. */
  after: string | null
  /** A step of one user alone, who is counted, or passed over: nothing but the place after is looked for. */
  one?: 'count' | 'pass over'
}

export interface UsersAudit {
  /** busy: some of them changed again and again while they were counted. */
  verdict: 'equal' | 'different' | 'mended' | 'busy'
  /** Looked at in this step. */
  users: number
  /** Each figure that differs by its name, such as "session s1: events". */
  differences: { userId: string; figure: string; stored: number; counted: number }[]
  next: string | null
}

export interface DayQuery {
  siteId: string
  /** One that is over: today's figures may be right and differ while events come in. */
  day: string
}

export interface DayAudit {
  /** not kept: its events are dropped, or about to be. busy: it changed again and again while it was counted. */
  verdict: 'equal' | 'different' | 'mended' | 'not kept' | 'busy'
  /** Each figure that differs by its name. */
  differences: { figure: string; stored: number; counted: number }[]
}

export interface TotalsAudit {
  /** busy: events came in all the while. */
  verdict: 'equal' | 'different' | 'mended' | 'busy'
  /** Users who have sessions and no row of their own: totals that differ may be right then, and are left as they are. */
  lostUsers: number
  differences: { figure: string; stored: number; counted: number }[]
}

export interface OverviewRow {
  users: number
  events: number
  sessions: number
  /** Sessions (by their start) with at least one order. */
  orderingSessions: number
  orders: number
  money: Money[]
  aside: AsideSum[]
  types: { type: string; events: number }[]
  /** Ascending; only days that have any of it. */
  days: {
    day: string
    events: number
    users: number
    sessions: number
    orderingSessions: number
    orders: number
    money: Money[]
  }[]
}

export interface UntilQuery {
  siteId: string
  from: string
  to: string
  /** Within the day `to`; what occurred then or later is not counted. */
  until: number
}

export interface UntilRow extends OverviewRow {
  /** Events of the hour that `until` cuts, up to it. */
  lastHour: number
}

export interface TotalsRow {
  events: number
  users: number
  sessions: number
  firstDay: string | null
  lastDay: string | null
  lastOccurredAt: number | null
  lastReceivedAt: number | null
}

export interface UserRow {
  userId: string
  events: number
  sessions: number
  orders: number
  money: Money[]
  firstActive: number
  lastActive: number
}

/** Key of a row in a user list: the value of the sort column and, for ties, the user id; both go in the list's order. */
export interface UserKey {
  value: number | string
  userId: string
}

export interface UserListQuery {
  siteId: string
  sort: UserSort
  order: SortOrder
  /** Beginning of the user id, compared byte by byte. */
  prefix?: string
  limit: number
  /** One of: rows after this key, rows before it (still returned in list order), or rows to skip. */
  after?: UserKey
  before?: UserKey
  offset?: number
}

/** Users in the order of a list that does not change any more. */
export interface FixedUsers {
  total: number
  /** At most `limit` from this place on, counted from 0. */
  rows(from: number, limit: number): Promise<UserRow[]>
  close(): Promise<void>
}

export interface JourneyQuery {
  siteId: string
  userId: string
  /** Inclusive. */
  from?: number
  /** Exclusive. */
  to?: number
  type?: string
  sessionId?: string
  order: SortOrder
  limit: number
  /** Fewer than `limit` come once they are larger: one more than has room in so many bytes (countWithin), two at least. */
  maxBytes?: number
  after?: { occurredAt: number; seq: number; eventId: string }
}

export interface SessionRow {
  sessionId: string
  /** Rank by (start, sessionId) among the user's sessions, from 1. */
  number: number
  start: number
  end: number
  events: number
  orders: number
  money: Money[]
}

/** An order, by the purchase that it counts by. */
export interface OrderRow {
  orderId: string
  userId: string
  eventId: string
  trust: Trust
  currency: string
  gross: number
}

export interface SiteStore {
  site(siteId: string): Promise<Site | null>
  /** All of them, by id. */
  sites(): Promise<Site[]>
  /**
   * Creates the site or changes its name and currency. The zone can change only while the site has no events, or, in an
   * engine that can count them all again in the same step, so few as `recountUpTo` (AppError conflict).
   */
  saveSite(site: Site, options?: { recountUpTo?: number }): Promise<Site>
  /** The zone that saveSite refuses to change; null while it can be chosen. */
  fixedZone(siteId: string, recountUpTo: number): Promise<string | null>
}

export interface StoredAccount extends Account {
  passwordHash: string
  createdAt: number
}

export interface AccountStore {
  count(): Promise<number>
  /** `onlyIfFirst` makes it atomic: null when somebody was faster. AppError conflict when the email is taken. */
  create(account: StoredAccount, options?: { onlyIfFirst?: boolean }): Promise<StoredAccount | null>
  byEmail(email: string): Promise<StoredAccount | null>
  byId(id: string): Promise<StoredAccount | null>
  /** Oldest first. */
  list(): Promise<AccountEntry[]>
  /**
   * Forgets an account with its logins and what invites its email; false when it is not there. AppError conflict for the
   * only owner, unless nobody else is there and `evenLastOwner`.
   */
  remove(id: string, options?: { evenLastOwner?: boolean }): Promise<boolean>
  /** Makes it an owner beside those there are; false when it is not there. */
  makeOwner(id: string): Promise<boolean>
  /** Gives it another password and ends its logins; false when it is not there. */
  setPassword(id: string, passwordHash: string): Promise<boolean>
  createSession(session: { tokenHash: string; accountId: string; createdAt: number; expiresAt: number }): Promise<void>
  /** The account of a login session that has not expired. */
  bySession(tokenHash: string, now: number): Promise<Account | null>
  deleteSession(tokenHash: string): Promise<void>
  createInvitation(invitation: {
    tokenHash: string
    email: string
    createdAt: number
    expiresAt: number
  }): Promise<void>
  /** null when unknown, used or expired. */
  invitation(tokenHash: string, now: number): Promise<{ email: string } | null>
  /** true for the one caller that used it up. */
  deleteInvitation(tokenHash: string): Promise<boolean>
  createToken(token: { tokenHash: string; name: string; accountId: string | null; createdAt: number }): Promise<void>
  byToken(tokenHash: string): Promise<{ name: string } | null>
  /** Oldest first, with the digests they are known by. */
  listTokens(): Promise<ApiToken[]>
  /** False when it is not there. */
  revokeToken(tokenHash: string): Promise<boolean>
}

export type AccountEntry = Omit<StoredAccount, 'passwordHash'>

/** A token of an internal tool. */
export interface ApiToken {
  tokenHash: string
  name: string
  createdAt: number
}

/** A key that events are sent with. Its text is known only to its owner; the store has the digest. */
export interface WriteKey {
  siteId: string
  /** pk: for browsers, anybody can read it. sk: for servers that keep it secret. */
  kind: 'pk' | 'sk'
  name: string
  /** What it may send; null for no limit. */
  eventsPerSecond: number | null
  /** Origins of the pages that may send with it, with a blank between them; null for those of anybody. */
  origins: string | null
  createdAt: number
}

export interface KeyStore {
  /** AppError not_found for a site that is not there. */
  create(key: WriteKey & { keyHash: string }): Promise<void>
  byHash(keyHash: string): Promise<WriteKey | null>
  /** The digests of the keys of all sites, in no order and no more than so many. */
  digests(most: number): Promise<string[]>
  /** Oldest first, with the digests they are known by. */
  list(siteId: string): Promise<(WriteKey & { keyHash: string })[]>
  /** False when there is no such key (any more). Processes that know it take it for up to half a minute longer. */
  revoke(keyHash: string): Promise<boolean>
}

/** What is known of a job by everybody on this store. Jobs that never ran have none. */
export interface JobState {
  name: string
  /** Who holds its lease; it may have run out. Null when nobody does. */
  owner: string | null
  leaseUntil: number
  /** The last day that is done; all before it are done too or were given up. Null for jobs without days. */
  doneThrough: string | null
  lastSuccessAt: number | null
  lastFailureAt: number | null
  /** One line; null when the last run succeeded. */
  lastError: string | null
  /** In a row, up to now. */
  failures: number
  /** No run before this, after a failure; 0 otherwise. */
  retryAt: number
  /** Runs of all processes since the store was made. */
  succeeded: number
  failed: number
}

export type JobNote =
  /** What is not done yet begins after this day. */
  | { kind: 'begun'; doneThrough: string }
  /** `doneThrough` null leaves it as it is. */
  | { kind: 'succeeded'; at: number; doneThrough: string | null }
  | { kind: 'failed'; at: number; error: string; retryAt: number }

/** Jobs that must run once among many processes: a lease each, and what came of the runs. */
export interface JobStore {
  /** Takes the lease or prolongs it, in one step; false while another owner's has not run out at `now`. */
  claim(lease: { name: string; owner: string; now: number; until: number }): Promise<boolean>
  /** Gives the lease up; nothing happens when it is another's by now. */
  release(lease: { name: string; owner: string }): Promise<void>
  /** False, and nothing is noted, when the lease is another's by now. */
  note(entry: { name: string; owner: string; note: JobNote }): Promise<boolean>
  /** By name. */
  list(): Promise<JobState[]>
}

/** What waits in the logs of one data folder. */
export interface ToldLog {
  host: string
  /** Accepted events that the store does not have yet. */
  waiting: number
  /** How long the oldest of them has waited; null when none does. */
  oldestMs: number | null
  /** Whether the log outlives its processes: else it is gone with them. */
  survives: boolean
  /** Of those that wait, how many are in the log of a process that has ended. */
  abandoned: number
  /** Whether it is no log at all but the word of a server that takes no events. */
  answersOnly: boolean
}

export interface HeardLog extends ToldLog {
  name: string
  /** How long ago it was told. */
  silentMs: number
}

/** Where machines that share a store tell each other what waits in their logs. */
export interface LogBoard {
  /** Tells of one's own log by its name (null: nothing is to be told), and hears of the others that told within a day. */
  exchange(own: string, news: ToldLog | null): Promise<HeardLog[]>
  /** Nothing waits in it any more, and its last process ends. */
  leave(own: string): Promise<void>
}

/** What a store has beside its events, each row by its key. Rows of logins are those that have not been ended. */
export interface MovedRows {
  sites: Site
  accounts: StoredAccount
  logins: { tokenHash: string; accountId: string; createdAt: number; expiresAt: number }
  invitations: { tokenHash: string; email: string; createdAt: number; expiresAt: number }
  tokens: { tokenHash: string; name: string; accountId: string | null; createdAt: number }
  keys: WriteKey & { keyHash: string }
  /** Without leases. */
  jobs: Omit<JobState, 'owner' | 'leaseUntil'>
}
export type MovedKind = keyof MovedRows

/** Some of a site's figures. Where events are dropped nothing else knows them. */
export interface MovedFigures {
  users: UserFigures[]
  sessions: (SessionFigures & { userId: string })[]
  orders: OrderFigures[]
  days: (DayFigures & { dayNo: number })[]
  /** With the last step. */
  totals: TotalFigures | null
}

/** For moves from one engine to another: everything that the questions above do not ask for. */
export interface MovingStore {
  /** Rows whose key comes after `after`, in the order of the key. An empty page is the end. */
  rows<Kind extends MovedKind>(kind: Kind, after: string | null): Promise<MovedRows[Kind][]>
  /** Puts rows in, in the place of those with the same key. */
  putRows<Kind extends MovedKind>(kind: Kind, rows: MovedRows[Kind][]): Promise<void>
  clearRows(kind: Exclude<MovedKind, 'sites'>): Promise<void>
  /** Events of a site in steps; `next` is where the step after begins, as a text of the engine's own. */
  events(siteId: string, place: string | null): Promise<{ events: StoredEvent[]; next: string | null }>
  /** Figures of a site as they are kept, in steps as events. */
  figures(siteId: string, place: string | null): Promise<{ rows: MovedFigures; next: string | null }>
  /** Puts figures in the place of those that the site has of the same users, sessions, orders and days. Users first. */
  putFigures(siteId: string, rows: MovedFigures): Promise<void>
  /** A text that changes with every batch that is stored, and how many batches are begun and not finished. */
  state(): Promise<{ written: string; unfinished: number }>
  /** A fact about the store by its name. */
  mark(name: string): Promise<string | null>
  setMark(name: string, value: string | null): Promise<void>
}
