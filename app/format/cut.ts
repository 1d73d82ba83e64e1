/** The first maxCharacters code points of a text (the unit the schemas count in), so that no character is split. */
export function cut(text: string, maxCharacters: number): string {
  return text.length <= maxCharacters ? text : Array.from(text).slice(0, maxCharacters).join('')
}
