import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'

export interface ArchiveFile {
  /** Path in the archive, up to 100 characters. */
  path: string
  content: Buffer
  isExecutable: boolean
}

const BLOCK_BYTES = 512

/**
 * Packs files as .tar.gz (USTAR), sorted and without times or owners, so that the same files always give the same bytes
 * and checksum.
 */
export function archive(files: readonly ArchiveFile[]): Buffer {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1))
  const blocks = sorted.flatMap((file) => [header(file), file.content, padding(file.content.length)])
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)]), { level: 9 })
}

/** Hexadecimal SHA-256. */
export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

function padding(bytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES)
}

function header({ path, content, isExecutable }: ArchiveFile): Buffer {
  if (Buffer.byteLength(path) > 100) throw new Error(`${path} has more than 100 bytes, which an archive cannot name.`)
  const block = Buffer.alloc(BLOCK_BYTES)
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`
  block.write(path, 0)
  block.write(octal(isExecutable ? 0o755 : 0o644, 8), 100)
  block.write(octal(0, 8), 108)
  block.write(octal(0, 8), 116)
  block.write(octal(content.length, 12), 124)
  block.write(octal(0, 12), 136)
  // The checksum counts its own field as spaces.
  block.write(' '.repeat(8), 148)
  block.write('0', 156)
  block.write('ustar\x0000', 257)
  block.write(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      7,
    )} `,
    148,
  )
  return block
}
