/** Where the browsers may be that a key is for (with blanks between them, null for anywhere), and what tells an event from another under its id. */
export const originsAndDigests = `
ALTER TABLE write_keys ADD COLUMN origins TEXT;
ALTER TABLE event_ids ADD COLUMN digest INTEGER;
`
