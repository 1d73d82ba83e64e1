import { createHash, randomBytes } from 'node:crypto'

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
