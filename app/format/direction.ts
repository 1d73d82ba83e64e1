/** Characters that turn the text after them round, or hold it the other way: an id or a name may carry them. */
const turning = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** A text without them, where it is part of a figure: a price must read as it is. */
export function withoutTurns(text: string): string {
  return text.replace(turning, '')
}

/** JSON in which they are written as escapes: the same value, and seen. */
export function withEscapedTurns(json: string): string {
  return json.replace(turning, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A text that turns nothing beside it, where there are no elements: in the title of a page. */
export function isolated(text: string): string {
  return text.search(turning) === -1 ? text : `\u2068${text}\u2069`
}
