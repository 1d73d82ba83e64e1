import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'

/** What went through `measured`, once all of it has. */
export interface Measure {
  bytes: number
  sha256: string
}

/** Passes content on and tells at its end what it was. */
export async function* measured(
  content: AsyncIterable<Uint8Array>,
  done: (measure: Measure) => void,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const part of content) {
    hash.update(part)
    bytes += part.length
    yield part
  }
  done({ bytes, sha256: hash.digest('hex') })
}

/** The same content always comes to the same bytes. */
export function zipped(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  return through(content, createGzip())
}

export function unzipped(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  return through(content, createGunzip())
}

async function* through(
  content: AsyncIterable<Uint8Array>,
  zip: ReturnType<typeof createGzip>,
): AsyncGenerator<Uint8Array> {
  const feeding = pipeline(content, zip)
  // Its error ends the loop below too.
  feeding.catch(() => {})
  try {
    for await (const part of zip) yield part as Uint8Array
    await feeding
  } finally {
    zip.destroy()
    await feeding.catch(() => {})
  }
}

const JOIN_BYTES = 64 * 1024

/** Lines of text as bytes, several at a time. */
export async function* joined(lines: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Uint8Array> {
  let text = ''
  for await (const line of lines) {
    text += `${line}\n`
    if (text.length < JOIN_BYTES) continue
    yield Buffer.from(text)
    text = ''
  }
  if (text !== '') yield Buffer.from(text)
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
