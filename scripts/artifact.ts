import { createHash } from 'node:crypto'
import { createWriteStream, lstatSync, readdirSync, readFileSync, readlinkSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'

/** A file, folder or link in a release. Without mode, times and owner, which differ from machine to machine. */
interface Entry {
  /** Relative path with forward slashes, without a leading one. */
  path: string
  kind: 'file' | 'folder' | 'link'
  executable: boolean
  /** Target of a link; '' for files and folders. */
  target: string
}

const BLOCK = 512
const kinds = { file: '0', link: '2', folder: '5' } as const

/** SHA-256 of a folder's names and contents, as hexadecimal text: the version of a release includes its start. */
export function contentDigest(folder: string): string {
  const hash = createHash('sha256')
  for (const { path, kind, executable, target } of entriesOf(folder)) {
    hash.update(JSON.stringify([path, kind, executable, target]))
    if (kind === 'file')
      hash.update(
        createHash('sha256')
          .update(readFileSync(join(folder, path)))
          .digest(),
      )
  }
  return hash.digest('hex')
}

/**
 * Packs a folder as tar.gz. The same contents give the same bytes on every machine with the same Node version. Resolves
 * to the archive's SHA-256 (hexadecimal) and size in bytes. The file appears only once it is complete.
 */
export async function pack(folder: string, file: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256')
  let bytes = 0
  const next = `${file}.next`
  await pipeline(
    Readable.from(blocksOf(folder)),
    createGzip({ level: 6 }),
    async function* (parts: AsyncIterable<Buffer>) {
      for await (const part of parts) {
        // Byte 10 of a gzip header names the operating system; 255 means unknown.
        if (bytes === 0) part[9] = 255
        bytes += part.length
        hash.update(part)
        yield part
      }
    },
    createWriteStream(next),
  )
  renameSync(next, file)
  return { sha256: hash.digest('hex'), bytes }
}

/** All entries below a folder, sorted by name, each folder before its contents. Does not follow links. */
function entriesOf(folder: string, within = ''): Entry[] {
  const names = readdirSync(join(folder, within)).sort((a, b) => (a < b ? -1 : 1))
  return names.flatMap((name) => {
    const path = within === '' ? name : `${within}/${name}`
    const stats = lstatSync(join(folder, path))
    const kind = stats.isSymbolicLink() ? 'link' : stats.isDirectory() ? 'folder' : 'file'
    if (kind === 'file' && !stats.isFile()) throw new Error(`${path} is neither a file, a folder nor a link.`)
    const target = kind === 'link' ? readlinkSync(join(folder, path)) : ''
    const entry: Entry = { path, kind, executable: kind === 'file' && (stats.mode & 0o111) !== 0, target }
    return kind === 'folder' ? [entry, ...entriesOf(folder, path)] : [entry]
  })
}

function* blocksOf(folder: string): Generator<Buffer> {
  for (const entry of entriesOf(folder)) {
    const content = entry.kind === 'file' ? readFileSync(join(folder, entry.path)) : Buffer.alloc(0)
    yield* headerOf(entry, content.length)
    yield padded(content)
  }
  yield Buffer.alloc(2 * BLOCK)
}

/** A tar header in POSIX.1-1988 (ustar) format, preceded by a POSIX.1-2001 (pax) one if names are too long for it. */
function headerOf({ path, kind, executable, target }: Entry, size: number): Buffer[] {
  const name = kind === 'folder' ? `${path}/` : path
  const long = [
    ['path', name],
    ['linkpath', target],
  ].filter(([, value]) => Buffer.byteLength(value!) > 100) as [string, string][]
  const own = header({ name, type: kinds[kind], mode: kind === 'file' && !executable ? 0o644 : 0o755, size, target })
  if (long.length === 0) return [own]
  const extended = Buffer.from(long.map(([key, value]) => paxLine(key, value)).join(''))
  return [header({ name: 'pax', type: 'x', mode: 0o644, size: extended.length, target: '' }), padded(extended), own]
}

function header(of: { name: string; type: string; mode: number; size: number; target: string }): Buffer {
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, digits: number) => block.write(value.toString(8).padStart(digits, '0'), at)
  block.write(of.name, 0, 100)
  octal(of.mode, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  octal(of.size, 124, 11)
  octal(0, 136, 11)
  block.write(of.type, 156)
  block.write(of.target, 157, 100)
  block.write('ustar\u000000', 257)
  // The checksum counts its own field as spaces.
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** "LENGTH key=value\n"; LENGTH includes its own digits. */
function paxLine(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest + 1
  while (String(length).length + rest !== length) length = String(length).length + rest
  return `${length} ${key}=${value}\n`
}

function padded(content: Buffer): Buffer {
  const rest = content.length % BLOCK
  return rest === 0 ? content : Buffer.concat([content, Buffer.alloc(BLOCK - rest)])
}
