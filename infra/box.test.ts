import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { type ArchiveFile, archive, sha256 } from './archive.ts'
import { fill, readBundle } from './box.ts'

const checkout = fileURLToPath(new URL('..', import.meta.url))
const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function unpack(content: Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'veritas-archive-'))
  folders.push(folder)
  writeFileSync(join(folder, 'x.tar.gz'), content)
  execFileSync('tar', ['-xzf', 'x.tar.gz'], { cwd: folder })
  rmSync(join(folder, 'x.tar.gz'))
  return folder
}

describe('archive', () => {
  const files: ArchiveFile[] = [
    { path: 'run.sh', content: Buffer.from('#!/bin/sh\n'), isExecutable: true },
    { path: 'empty', content: Buffer.alloc(0), isExecutable: false },
    { path: 'block', content: Buffer.alloc(512, 'b'), isExecutable: false },
    { path: 'ä.txt', content: Buffer.alloc(513, 'c'), isExecutable: false },
  ]

  it('is what tar unpacks, with contents and modes', () => {
    const folder = unpack(archive(files))
    expect(readdirSync(folder).sort()).toEqual(files.map(({ path }) => path).sort())
    for (const { path, content, isExecutable } of files) {
      expect(readFileSync(join(folder, path)), path).toEqual(content)
      expect((statSync(join(folder, path)).mode & 0o100) !== 0, path).toBe(isExecutable)
    }
  })

  it('is the same bytes for the same files in any order, and others for others', () => {
    const digest = sha256(archive(files))
    expect(sha256(archive([...files].reverse()))).toBe(digest)
    expect(sha256(archive(files.map((file) => ({ ...file, isExecutable: false }))))).not.toBe(digest)
  })

  it('refuses a path that it cannot name', () => {
    const path = 'x'.repeat(101)
    expect(() => archive([{ path, content: Buffer.alloc(0), isExecutable: false }])).toThrow(path)
  })
})

describe('the bundle of the instance', () => {
  it('has all that install.sh asks for, and no tests or pages', () => {
    const folder = unpack(readBundle(checkout).content)
    const names = readdirSync(folder)
    for (const name of ['install.sh', 'deploy.sh', 'secrets.sh', 'nginx.conf', 'cloudwatch-agent.json'])
      expect(names).toContain(name)
    expect(names.filter((name) => /\.(md|test\.ts)$/.test(name))).toEqual([])
    expect(statSync(join(folder, 'deploy.sh')).mode & 0o111).not.toBe(0)
  })
})

describe('fill', () => {
  it('puts values in their places', () => {
    expect(fill('a @ONE@ b@x @ONE@', { ONE: '1' })).toBe('a 1 b@x 1')
  })

  it('does not leave a place or a value over', () => {
    expect(() => fill('@ONE@', {})).toThrow('@ONE@')
    expect(() => fill('nothing', { ONE: '1' })).toThrow('ONE')
  })
})
