import { createHash, randomBytes } from 'node:crypto'

const ID_LENGTH = 12

/** 256 random bits, safe in URLs and headers. */
export function createToken(prefix = ''): string {
  return prefix + randomBytes(32).toString('base64url')
}

/** What is kept of a token: enough to recognise it, useless to whoever reads the store. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/** API tokens of tools start with this, so that leaked ones can be found by scanners. */
export const apiTokenPrefix = 'vt_'

/** Enough of the digest of a key or token to tell it from the others; nothing can be asked or sent with it. */
export function idOfHash(hash: string): string {
  return hash.slice(0, ID_LENGTH)
}

/** A token whose id a command line takes for no option. */
export function createListedToken(prefix: string): string {
  for (;;) {
    const token = createToken(prefix)
    if (!hashToken(token).startsWith('-')) return token
  }
}
