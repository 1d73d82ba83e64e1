const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * Whether the bytes of a JSON text nest deeper than `max`. Scanned before parsing, because JSON.parse takes 0.7 s for
 * 2 MB of opening brackets. Text that is not JSON gets some answer and fails in the parser.
 */
export function nestsDeeper(body: Uint8Array, max: number): boolean {
  let depth = 0
  let inString = false
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]
    if (inString) {
      if (byte === BACKSLASH) i++
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > max) return true
    } else if (byte === 0x5d || byte === 0x7d) depth--
  }
  return false
}
