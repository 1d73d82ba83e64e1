/** The first characters of a text: code points, as the schemas count them, so that none is cut in half. */
export function cut(text: string, maxCharacters: number): string {
  return text.length <= maxCharacters ? text : Array.from(text).slice(0, maxCharacters).join('')
}
