/** Unicode characters that set or mark the text direction; user ids and names may contain them. */
const turning = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** Removes these characters from text inside a price or figure, which must not appear reordered. */
export function withoutTurns(text: string): string {
  return text.replace(turning, '')
}

/**
 * Invisible characters: direction marks, controls, line separators, zero-width spaces, tags. The zero-width joiner and
 * non-joiner are needed in emoji and many scripts, so they only match after ASCII or at the start or end of the text.
 */
const unseen =
  /[\p{Cc}\p{Zl}\p{Zp}\ufff9-\ufffb]|(?!\u200c|\u200d|[\ufe00-\ufe0f\u{e0100}-\u{e01ef}])\p{Default_Ignorable_Code_Point}|(?<=^|\p{ASCII})(?:\u200c|\u200d)|(?:\u200c|\u200d)$/gu

/** An id or name with its invisible characters shown as ‹U+200B›, so that different ids do not look the same. */
export function seen(text: string): string {
  return text.replace(
    unseen,
    (character) => `‹U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}›`,
  )
}

/** Like `seen`, with tabs and line breaks replaced by spaces. */
export function seenOnOneLine(text: string): string {
  return seen(text.replace(/[\t\n\r]+/g, ' '))
}

/** JSON with invisible characters as \u escapes, which keeps its value. Line breaks stay. */
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
