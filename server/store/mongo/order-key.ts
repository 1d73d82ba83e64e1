/**
 * Texts as they stand in keys whose order matters: ids of users and sessions. MongoDB compares texts as UTF-8 bytes;
 * others that speak its protocol compare UTF-16 units, which puts 😀 before U+FF5E. The two agree on texts without the
 * characters from U+E000 on, so those are written as U+E000 and six hexadecimal digits, which keeps their order. Every
 * other text, so almost every id, is its own key.
 */
export function orderKey(text: string): string {
  return RARE.test(text) ? text.replace(RARE_ALL, escaped) : text
}

export function fromOrderKey(key: string): string {
  return key.includes(MARK)
    ? key.replace(ESCAPED, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
    : key
}

/** Greater than every key that begins with this one: no character of a key comes after the mark. */
export function afterPrefix(key: string): string {
  return `${key}\uf8ff`
}

const MARK = '\ue000'
const RARE = /[\ud800-\uffff]/
const RARE_ALL = /[\ud800-\udbff][\udc00-\udfff]|[\ue000-\uffff]/g
const ESCAPED = /\ue000([0-9a-f]{6})/g

function escaped(character: string): string {
  return MARK + (character.codePointAt(0) ?? 0).toString(16).padStart(6, '0')
}
