import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { sessionSecret } from './auth.ts'

let folder = ''
afterEach(() => rm(folder, { recursive: true }))

describe('the secret that signs cookies', () => {
  it('is the same for all processes that start at once on a new folder, and for later ones', async () => {
    folder = await mkdtemp(join(tmpdir(), 'veritas-secret-'))
    const secrets = await Promise.all(Array.from({ length: 20 }, () => sessionSecret(undefined, folder)))
    secrets.push(await sessionSecret(undefined, folder))
    expect(new Set(secrets).size).toBe(1)
    expect(secrets[0]!.length).toBeGreaterThanOrEqual(32)
  })

  it('is made anew where a crash left an empty file', async () => {
    folder = await mkdtemp(join(tmpdir(), 'veritas-secret-'))
    await writeFile(join(folder, 'session-secret'), '')
    const secret = await sessionSecret(undefined, folder)
    expect(secret.length).toBeGreaterThanOrEqual(32)
    expect(await sessionSecret(undefined, folder)).toBe(secret)
  })
})
