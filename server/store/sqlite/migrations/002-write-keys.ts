/** Keys that storefronts and servers send events with, one site each; kept as digests. */
export const writeKeys = `
CREATE TABLE write_keys (
  key_hash TEXT PRIMARY KEY,
  site_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  events_per_second INTEGER,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`
