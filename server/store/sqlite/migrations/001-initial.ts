/**
 * Numbers (user_no, session_no, …) are this file's own; ids are the clients'. Times are epoch milliseconds, day_no is
 * days since 1970-01-01 of the site's calendar, gross is minor units. Event tables are made per month, when needed.
 */
export const initial = `
CREATE TABLE sites (
  site_no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  currency TEXT NOT NULL,
  events INTEGER NOT NULL DEFAULT 0,
  users INTEGER NOT NULL DEFAULT 0,
  sessions INTEGER NOT NULL DEFAULT 0,
  first_at INTEGER,
  last_at INTEGER,
  last_received_at INTEGER
) STRICT;

CREATE TABLE event_types (type_no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- Months (YYYYMM, UTC) that have a table events_YYYYMM.
CREATE TABLE months (month INTEGER PRIMARY KEY) STRICT;

-- Unique over all months, since a retry may carry another occurredAt.
CREATE TABLE event_ids (
  site_no INTEGER NOT NULL,
  event_id ANY NOT NULL,
  month INTEGER NOT NULL,
  PRIMARY KEY (site_no, event_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
  user_no INTEGER PRIMARY KEY,
  site_no INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  events INTEGER NOT NULL,
  sessions INTEGER NOT NULL,
  orders INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_by_user_id ON users (site_no, user_id);
CREATE INDEX users_by_first_at ON users (site_no, first_at, user_id);
CREATE INDEX users_by_last_at ON users (site_no, last_at, user_id);
CREATE INDEX users_by_events ON users (site_no, events, user_id);
CREATE INDEX users_by_sessions ON users (site_no, sessions, user_id);
CREATE INDEX users_by_orders ON users (site_no, orders, user_id);

CREATE TABLE user_money (
  user_no INTEGER NOT NULL,
  currency TEXT NOT NULL,
  orders INTEGER NOT NULL,
  gross INTEGER NOT NULL,
  PRIMARY KEY (user_no, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  session_no INTEGER PRIMARY KEY,
  user_no INTEGER NOT NULL,
  session_id TEXT NOT NULL,
  start_at INTEGER NOT NULL,
  end_at INTEGER NOT NULL,
  events INTEGER NOT NULL,
  orders INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX sessions_by_session_id ON sessions (user_no, session_id);
CREATE INDEX sessions_by_start_at ON sessions (user_no, start_at, session_id);

CREATE TABLE session_money (
  session_no INTEGER NOT NULL,
  currency TEXT NOT NULL,
  orders INTEGER NOT NULL,
  gross INTEGER NOT NULL,
  PRIMARY KEY (session_no, currency)
) STRICT, WITHOUT ROWID;

-- The first purchase of each order id.
CREATE TABLE orders (
  site_no INTEGER NOT NULL,
  order_id TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  event_id ANY NOT NULL,
  user_no INTEGER NOT NULL,
  session_no INTEGER NOT NULL,
  currency TEXT NOT NULL,
  gross INTEGER NOT NULL,
  PRIMARY KEY (site_no, order_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_days (
  user_no INTEGER NOT NULL,
  day_no INTEGER NOT NULL,
  PRIMARY KEY (user_no, day_no)
) STRICT, WITHOUT ROWID;

-- How many users were active on day_no and before that last on previous_day_no (-2: never).
CREATE TABLE day_pairs (
  site_no INTEGER NOT NULL,
  day_no INTEGER NOT NULL,
  previous_day_no INTEGER NOT NULL,
  users INTEGER NOT NULL,
  PRIMARY KEY (site_no, day_no, previous_day_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE days (
  site_no INTEGER NOT NULL,
  day_no INTEGER NOT NULL,
  events INTEGER NOT NULL,
  users INTEGER NOT NULL,
  sessions INTEGER NOT NULL,
  ordering_sessions INTEGER NOT NULL,
  orders INTEGER NOT NULL,
  PRIMARY KEY (site_no, day_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE day_types (
  site_no INTEGER NOT NULL,
  day_no INTEGER NOT NULL,
  type_no INTEGER NOT NULL,
  events INTEGER NOT NULL,
  PRIMARY KEY (site_no, day_no, type_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE day_money (
  site_no INTEGER NOT NULL,
  day_no INTEGER NOT NULL,
  currency TEXT NOT NULL,
  orders INTEGER NOT NULL,
  gross INTEGER NOT NULL,
  PRIMARY KEY (site_no, day_no, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE hours (
  site_no INTEGER NOT NULL,
  start_at INTEGER NOT NULL,
  events INTEGER NOT NULL,
  PRIMARY KEY (site_no, start_at)
) STRICT, WITHOUT ROWID;

-- Which batches are in, with what each came to.
CREATE TABLE batches (
  batch_no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  outcome TEXT NOT NULL
) STRICT;

CREATE TABLE accounts (
  id TEXT PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE account_sessions (
  token_hash TEXT PRIMARY KEY,
  account_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX account_sessions_by_expires_at ON account_sessions (expires_at);

CREATE TABLE invitations (
  token_hash TEXT PRIMARY KEY,
  email TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_tokens (
  token_hash TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  account_id TEXT,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`
