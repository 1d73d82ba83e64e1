import { existsSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { testFolder } from '../store/sqlite/test-folder.ts'
import { makeFolder } from './folders.ts'

const newFolder = testFolder()

describe('a folder that is needed', () => {
  it('is made with those above it, for its owner alone, and may be there', async () => {
    const home = await newFolder()
    const path = join(home, 'a', 'b', 'c')
    for (let time = 0; time < 2; time++) makeFolder(path)
    for (const folder of [path, join(home, 'a')]) expect(statSync(folder).mode & 0o777).toBe(0o700)
    symlinkSync(path, join(home, 'link'))
    makeFolder(join(home, 'link'))
    makeFolder(join(home, 'link', 'd'))
    expect(statSync(join(path, 'd')).isDirectory()).toBe(true)
    makeFolder('/')
  })

  it('is refused where a file stands', async () => {
    const home = await newFolder()
    writeFileSync(join(home, 'file'), '')
    expect(() => makeFolder(join(home, 'file'))).toThrow(/EEXIST/)
    expect(() => makeFolder(join(home, 'file', 'a', 'b'))).toThrow(/ENOTDIR/)
  })

  it.skipIf(!existsSync('/proc/self'))('is refused at once where Node itself would try for ever', () => {
    for (const path of ['/proc/x', '/proc/x/y/z', '/proc/self/nothing/x'])
      expect(() => makeFolder(path)).toThrow(/ENOENT/)
  })
})
