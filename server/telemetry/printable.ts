/**
 * Characters that a terminal obeys or that make text look like another: control characters (C0 with its escape, DEL, C1),
 * marks that turn the direction of what is beside them, separators of lines and paragraphs, halves of surrogate pairs,
 * and what has no width. Joiners stay: Persian, Hindi and emoji are written with them.
 */
const unprintable =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu
const unprintableInLines = new RegExp(`(?!\\n)${unprintable.source}`, 'gu')

/** Text of others as one word of a line on a terminal: each such character becomes \uXXXX, line ends and tabs too. */
export function printable(text: string): string {
  return text.replace(unprintable, escaped)
}

/** The same for several lines, which stay. JSON stays the same JSON. */
export function printableLines(text: string): string {
  return text.replace(unprintableInLines, escaped)
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`
  }).join('')
}
