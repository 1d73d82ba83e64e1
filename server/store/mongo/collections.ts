import type { Collection, Db } from 'mongodb'
import type {
  AccountRow,
  BatchRow,
  ClaimRow,
  DayRow,
  EventRow,
  HeadRow,
  InvitationRow,
  JobRow,
  KeyRow,
  LoginRow,
  LogRow,
  MarkRow,
  MetaRow,
  MonthRow,
  OrderRow,
  PlanRow,
  SessionRow,
  SiteRow,
  StepRow,
  TokenRow,
  TotalsRow,
  UserRow,
  WriterRow,
} from './rows.ts'

/** Every collection by its name in the database, but for the months of events. */
export interface Collections {
  sites: Collection<SiteRow>
  claims: Collection<ClaimRow>
  months: Collection<MonthRow>
  ledger: Collection<BatchRow>
  head: Collection<HeadRow>
  plans: Collection<PlanRow>
  users: Collection<UserRow>
  sessions: Collection<SessionRow>
  orders: Collection<OrderRow>
  days: Collection<DayRow>
  totals: Collection<TotalsRow>
  accounts: Collection<AccountRow>
  logins: Collection<LoginRow>
  invitations: Collection<InvitationRow>
  tokens: Collection<TokenRow>
  keys: Collection<KeyRow>
  jobs: Collection<JobRow>
  meta: Collection<MetaRow>
  marks: Collection<MarkRow>
  steps: Collection<StepRow>
  writers: Collection<WriterRow>
  logs: Collection<LogRow>
  database: Db
  events(month: number): Collection<EventRow>
}

export function collectionsOf(db: Db): Collections {
  return {
    sites: db.collection('sites'),
    claims: db.collection('event_ids'),
    months: db.collection('months'),
    ledger: db.collection('ledger'),
    head: db.collection('fold'),
    plans: db.collection('fold_plans'),
    users: db.collection('users'),
    sessions: db.collection('sessions'),
    orders: db.collection('orders'),
    days: db.collection('days'),
    totals: db.collection('totals'),
    accounts: db.collection('accounts'),
    logins: db.collection('account_sessions'),
    invitations: db.collection('invitations'),
    tokens: db.collection('api_tokens'),
    keys: db.collection('write_keys'),
    jobs: db.collection('jobs'),
    meta: db.collection('meta'),
    marks: db.collection('marks'),
    steps: db.collection('store_steps'),
    writers: db.collection('writers'),
    logs: db.collection('logs'),
    database: db,
    events: (month) => db.collection(`events_${month}`),
  }
}
