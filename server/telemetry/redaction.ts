/** Fields whose text is a secret, however deep they stand. */
const secretFields =
  /"(password|passwordHash|cookie|set-cookie|authorization|proxy-authorization|x-write-key|writeKey|sessionSecret|secret|token|tokenHash)":"(?:[^"\\]|\\.)*"/gi
/** Write keys, API tokens. */
const keys = /(pk|sk|vt)_[\w-]{32,}/g
const credentials = /\b(Bearer|Basic)( +)[^\s"\\,;]+/gi
/** The part of an address of a database before its host. */
const addressLogins = /(:\/\/)[^\s"\\/@]{1,512}@/g
const emails = /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){0,4}\.\p{L}{2,24}/gu

/**
 * A line of the log (JSON) without what must not be in it: keys, tokens, cookies, passwords, Authorization and e-mail
 * addresses, wherever they stand, in messages and in the texts of errors too. The line stays valid JSON.
 */
export function redact(line: string): string {
  return line
    .replace(secretFields, '"$1":"[redacted]"')
    .replace(credentials, '$1$2[redacted]')
    .replace(keys, '$1_[redacted]')
    .replace(addressLogins, '$1[redacted]@')
    .replace(emails, keepEscape)
}

/** The n of a \n before an address is none of its letters. */
function keepEscape(email: string, at: number, line: string): string {
  let backslashes = 0
  while (line[at - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1 ? `${email[0]}[e-mail]` : '[e-mail]'
}
