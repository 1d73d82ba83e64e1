/** Characters that turn the text after them round, or hold it the other way: an id or a name may carry them. */
const turning = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** A text without them, where it is part of a figure: a price must read as it is. */
export function withoutTurns(text: string): string {
  return text.replace(turning, '')
}

/**
 * What leaves no mark of its own: turns, controls, separators of lines, blanks without width, tags. The two that join and
 * part letters belong to emoji and to many scripts; among letters of ours, and at an end, they are only unseen.
 */
const unseen =
  /[\p{Cc}\p{Zl}\p{Zp}\ufff9-\ufffb]|(?!\u200c|\u200d|[\ufe00-\ufe0f\u{e0100}-\u{e01ef}])\p{Default_Ignorable_Code_Point}|(?<=^|\p{ASCII})(?:\u200c|\u200d)|(?:\u200c|\u200d)$/gu

/** An id or a name in which they are seen, by their numbers: two that look alike may be two. */
export function seen(text: string): string {
  return text.replace(
    unseen,
    (character) => `‹U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}›`,
  )
}

/** The same of a text that may have lines, which stand behind one another. */
export function seenOnOneLine(text: string): string {
  return seen(text.replace(/[\t\n\r]+/g, ' '))
}

/** JSON in which they are written as escapes: the same value. Its own lines stay. */
export function withEscapedUnseen(json: string): string {
  return json.replace(unseen, (characters) =>
    characters === '\n'
      ? characters
      : Array.from({ length: characters.length }, (_, at) => escaped(characters.charCodeAt(at))).join(''),
  )
}

function escaped(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`
}
