/** The order of events everywhere: (occurredAt, seq, eventId), texts compared as their UTF-8 bytes are. */
export interface EventPlace {
  occurredAt: number
  seq: number
  eventId: string
}

export function compareEvents(a: EventPlace, b: EventPlace): number {
  return a.occurredAt - b.occurredAt || a.seq - b.seq || compareText(a.eventId, b.eventId)
}

/** By code point, which is the order of UTF-8 bytes; `<` compares UTF-16 units and puts 😀 before U+FF5E. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Units that differ first decide; surrogates stand for code points above every other unit. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
