import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSetupCode } from './setup-code.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritas-setup-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('the set-up code', () => {
  it('is the same for all processes on a folder until it is forgotten, and nobody else may read it', async () => {
    const codes = await Promise.all(Array.from({ length: 10 }, () => createSetupCode(folder).read()))
    expect(new Set(codes).size).toBe(1)
    expect(codes[0]).toMatch(/^([A-HJ-NP-Z2-9]{4}-){3}[A-HJ-NP-Z2-9]{4}$/)
    expect((await stat(join(folder, 'setup-code'))).mode & 0o777).toBe(0o600)
    await createSetupCode(folder).forget()
    expect(await createSetupCode(folder).read()).not.toBe(codes[0])
  })

  it('is known however it is typed', async () => {
    const code = createSetupCode(folder)
    const text = await code.read()
    for (const typed of [text, text.toLowerCase(), text.replaceAll('-', ''), ` ${text.replaceAll('-', ' ')}\n`])
      expect(await code.matches(typed)).toBe(true)
    for (const wrong of ['', '-', text.slice(0, -1), `${text}A`, 'AAAA-AAAA-AAAA-AAAA'])
      expect(await code.matches(wrong)).toBe(false)
  })

  it('matches nothing, not even nothing, before it was made', async () => {
    expect(await createSetupCode(folder).matches('')).toBe(false)
  })
})
