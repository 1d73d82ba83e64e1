import { AppError } from '../errors.ts'

/** A file of an archive; `bytes` is the exact length of its content. */
export interface Entry {
  name: string
  bytes: number
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

const BLOCK = 512
const MAX_NAME_BYTES = 100
/** Sizes from here on do not fit the octal digits of the field. */
const MAX_OCTAL = 8 ** 11

/** Whether a file may have this name in an archive. */
export function fits(name: string): boolean {
  return Buffer.byteLength(name) <= MAX_NAME_BYTES
}

/** The entries as a tar archive (POSIX ustar, with GNU's form of large sizes), which any tar can read. */
export async function* writeTar(entries: AsyncIterable<Entry>): AsyncGenerator<Uint8Array> {
  for await (const { name, bytes, content } of entries) {
    yield header(name, bytes)
    let left = bytes
    for await (const part of content) {
      left -= part.length
      if (left < 0) break
      yield part
    }
    if (left !== 0) throw new Error(`${name} is not as long as it was said to be`)
    yield Buffer.alloc(padding(bytes))
  }
  yield Buffer.alloc(2 * BLOCK)
}

/**
 * Hands each entry to `take`, which must read its content to the end. AppError invalid_input when the archive is cut,
 * damaged or of another kind.
 */
export async function readTar(
  content: AsyncIterable<Uint8Array>,
  take: (entry: Entry) => Promise<void>,
): Promise<void> {
  const reader = createReader(content)
  for (;;) {
    const block = await reader.exactly(BLOCK)
    if (block.every((byte) => byte === 0)) return
    const { name, bytes } = readHeader(block)
    await take({ name, bytes, content: reader.parts(bytes) })
    await reader.exactly(padding(bytes))
  }
}

function header(name: string, bytes: number): Buffer {
  if (!fits(name)) throw new Error(`${name} is too long a name for an archive`)
  const block = Buffer.alloc(BLOCK)
  block.write(name, 0)
  block.write('0000600\0', 100)
  block.write('0000000\0', 108)
  block.write('0000000\0', 116)
  if (bytes < MAX_OCTAL) block.write(bytes.toString(8).padStart(11, '0'), 124)
  else {
    block.writeUInt8(0x80, 124)
    block.writeBigUInt64BE(BigInt(bytes), 128)
  }
  block.write('00000000000', 136)
  block.write('0', 156)
  block.write('ustar\x0000', 257)
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

function readHeader(block: Buffer): { name: string; bytes: number } {
  const sum = Number.parseInt(block.toString('latin1', 148, 156), 8)
  if (sum !== checksum(block)) throw damaged('its table of contents is damaged')
  const name = block.toString('utf8', 0, MAX_NAME_BYTES).replace(/\0.*$/s, '')
  const bytes =
    block.readUInt8(124) === 0x80
      ? Number(block.readBigUInt64BE(128))
      : Number.parseInt(block.toString('latin1', 124, 135), 8)
  // Files go where their names say: nothing may name a place outside.
  if (name.split('/').some((part) => ['', '.', '..'].includes(part)))
    throw damaged(`it holds a file named ${JSON.stringify(name)}`)
  return { name, bytes }
}

function checksum(block: Buffer): number {
  return block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0)
}

function padding(bytes: number): number {
  return (BLOCK - (bytes % BLOCK)) % BLOCK
}

export function damaged(why: string): AppError {
  return new AppError('invalid_input', `This is no sound backup: ${why}. Nothing was changed.`)
}

function createReader(content: AsyncIterable<Uint8Array>) {
  const source = content[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array()

  /** Some of the next bytes, at most so many. */
  async function some(most: number): Promise<Uint8Array> {
    while (rest.length === 0) {
      const { value, done } = await source.next()
      if (done) throw damaged('it ends too early')
      rest = value
    }
    const part = rest.subarray(0, most)
    rest = rest.subarray(part.length)
    return part
  }

  async function* parts(bytes: number): AsyncGenerator<Uint8Array> {
    for (let left = bytes; left > 0; ) {
      const part = await some(left)
      left -= part.length
      yield part
    }
  }

  return {
    parts,
    async exactly(bytes: number): Promise<Buffer> {
      const all: Uint8Array[] = []
      for await (const part of parts(bytes)) all.push(part)
      return Buffer.concat(all)
    },
  }
}
