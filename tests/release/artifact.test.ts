import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { contentDigest, pack } from '../../scripts/artifact.ts'
import { temporaryFolder } from '../server.ts'

const deep = `${'a-folder-with-a-long-name/'.repeat(6)}and-ä-file.txt`

/** The same contents, written in another order, at another time and with other rights. */
function contents(folder: string, turned: boolean): string {
  const files = [
    ['package.json', '{}\n'],
    ['build/server/index.js', 'x'.repeat(512 * 3)],
    [deep, 'deep'],
    ['empty', ''],
  ] as const
  for (const [path, text] of turned ? files.toReversed() : files) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text, { mode: turned ? 0o600 : 0o664 })
    if (turned) utimesSync(join(folder, path), 1, 1)
  }
  chmodSync(join(folder, 'empty'), turned ? 0o700 : 0o775)
  symlinkSync('build/server/index.js', join(folder, 'link'))
  symlinkSync(deep, join(folder, 'long-link'))
  symlinkSync('build', join(folder, 'folder-link'))
  return folder
}

describe('an artifact', () => {
  it('is the same bytes for the same contents, whoever packs them', async () => {
    const [first, second] = [contents(temporaryFolder(), false), contents(temporaryFolder(), true)]
    const [one, two] = [join(temporaryFolder(), 'one'), join(temporaryFolder(), 'two')]
    const packed = await pack(first, one)
    expect(await pack(second, two)).toEqual(packed)
    const bytes = readFileSync(one)
    expect(bytes.equals(readFileSync(two))).toBe(true)
    expect(packed).toEqual({ sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length })
    expect(contentDigest(second)).toBe(contentDigest(first))
    // Neither the time nor the system that packed.
    expect([...bytes.subarray(4, 10)]).toEqual([0, 0, 0, 0, expect.any(Number), 255])
  })

  it.each<[string, (folder: string) => void]>([
    ['a letter', (folder) => writeFileSync(join(folder, 'package.json'), '{} ')],
    ['a name', (folder) => writeFileSync(join(folder, 'more'), '')],
    ['what may be run', (folder) => chmodSync(join(folder, 'package.json'), 0o755)],
    ['where a link leads', (folder) => symlinkSync('elsewhere', join(folder, 'another-link'))],
  ])('is another one when %s is another', async (_, change) => {
    const [first, second] = [contents(temporaryFolder(), false), contents(temporaryFolder(), false)]
    change(second)
    expect(contentDigest(second)).not.toBe(contentDigest(first))
    const place = temporaryFolder()
    expect((await pack(second, join(place, 'b'))).sha256).not.toBe((await pack(first, join(place, 'a'))).sha256)
  })

  it('is unpacked by tar as it was packed', async () => {
    const folder = contents(temporaryFolder(), true)
    const file = join(temporaryFolder(), 'artifact.tar.gz')
    await pack(folder, file)
    const out = temporaryFolder()
    const printed = execFileSync('tar', ['-xzf', file, '-C', out], { encoding: 'utf8', stdio: 'pipe' })
    expect(printed).toBe('')
    const listed = execFileSync('tar', ['-tzf', file], { encoding: 'utf8' }).split('\n')
    const tops = listed.filter((name) => /^[^/]+\/?$/.test(name)).map((name) => name.replace('/', ''))
    expect(tops).toEqual(tops.toSorted((a, b) => (a < b ? -1 : 1)))
    const names = (of: string) => execFileSync('find', ['.'], { cwd: of, encoding: 'utf8' }).split('\n').sort()
    expect(names(out)).toEqual(names(folder))
    expect(readlinkSync(join(out, 'folder-link'))).toBe('build')
    for (const path of ['package.json', 'build/server/index.js', deep, 'empty'])
      expect(readFileSync(join(out, path)).equals(readFileSync(join(folder, path))), path).toBe(true)
    expect([readlinkSync(join(out, 'link')), readlinkSync(join(out, 'long-link'))]).toEqual([
      'build/server/index.js',
      deep,
    ])
    expect(lstatSync(join(out, 'empty')).mode & 0o777).toBe(0o755)
    expect(lstatSync(join(out, 'package.json')).mode & 0o777).toBe(0o644)
  })
})
