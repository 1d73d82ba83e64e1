/** Builds pages and server when build/ is missing or was made of other sources. */
export function buildIfStale(): Promise<void>
