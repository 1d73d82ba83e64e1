import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { secretFile } from '../start/secret-file.ts'
import type { SetupCode } from './accounts.ts'

/** Without letters and digits that look like others. */
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'
const GROUPS = 4
const GROUP_LENGTH = 4

/** Kept beside the store, so that every process of this machine and `npm run setup-code` know the same one. */
export function createSetupCode(dataDir: string): SetupCode {
  const path = join(dataDir, 'setup-code')
  const known = async () => (await readFile(path, 'utf8').catch(() => '')) || null
  return {
    read: () => secretFile(path, newCode),
    known,
    async matches(given) {
      const code = await known()
      return code !== null && timingSafeEqual(digest(code), digest(given))
    },
    forget: () => rm(path, { force: true }),
  }
}

/** Where the owner's account is made; with the code filled in, if one is needed. */
export function signUpAddress(base: string, code: string | null | undefined): string {
  return `${base.replace(/\/$/, '')}/signup${code ? `?code=${code}` : ''}`
}

/** 80 random bits as XXXX-XXXX-XXXX-XXXX. */
function newCode(): string {
  const letters = [...randomBytes(GROUPS * GROUP_LENGTH)].map((byte) => LETTERS[byte % LETTERS.length])
  return Array.from({ length: GROUPS }, (_, group) =>
    letters.slice(group * GROUP_LENGTH, (group + 1) * GROUP_LENGTH).join(''),
  ).join('-')
}

/** However it was typed: small letters, blanks and dashes do not matter. */
function digest(code: string): Buffer {
  return createHash('sha256').update(code.replace(/[\s-]/g, '').toUpperCase()).digest()
}
