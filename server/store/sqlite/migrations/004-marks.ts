/** Single facts about the store by name, such as the month from which on events are kept. */
export const marks = `
CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`
