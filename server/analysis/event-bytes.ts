/** About what an event takes in an answer, in bytes. */
export function eventBytes(event: object): number {
  return Buffer.byteLength(JSON.stringify(event))
}

/** How many of the first events have room in so many bytes; one at least, or a list would never go on. */
export function countWithin(events: readonly object[], maxBytes: number): number {
  let bytes = 0
  for (const [index, event] of events.entries()) {
    bytes += eventBytes(event)
    if (bytes > maxBytes) return Math.max(1, index)
  }
  return events.length
}
