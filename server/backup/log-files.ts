import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { diskFiles, type LogFile, namesIn } from '../ingest/wal/files.ts'
import { openSegment } from '../ingest/wal/open-segments.ts'
import { readPages } from '../ingest/wal/read-pages.ts'
import { parseSegmentFileName, readHeadBlock, SEGMENT_START, type SegmentName } from '../ingest/wal/segment.ts'
import type { Entry } from './tar.ts'

/** Looks at a segment while a commit is being written see half a frame; a moment later it is whole. */
const LOOKS = 3
const LOOK_MS = 100
const READ_BYTES = 1024 * 1024

/**
 * What the logs of all processes hold, each segment up to its last whole frame; the processes may go on writing.
 * Everything committed before the call is in it, unless it was stored meanwhile: take the store afterwards. How far each
 * log was stored is left out: a restored log is stored once more from its beginning, which changes nothing.
 */
export async function* logEntries(dir: string): AsyncGenerator<Entry> {
  for (const slot of await namesIn(dir)) {
    if (!/^\d+$/.test(slot)) continue
    const seen = new Set<string>()
    // Twice: a process that starts meanwhile may give a segment another name.
    for (let pass = 1; pass <= 2; pass++)
      for (const name of (await namesIn(join(dir, slot))).sort()) {
        if (seen.has(name)) continue
        seen.add(name)
        const entry = await segmentEntry(join(dir, slot), name)
        if (entry) yield { name: `wal/${slot}/${name}`, ...entry }
      }
  }
}

/** Null for what is no segment, is gone, or holds nothing. */
async function segmentEntry(folder: string, fileName: string): Promise<Omit<Entry, 'name'> | null> {
  const name = parseSegmentFileName(fileName)
  if (!name) return null
  const path = join(folder, fileName)
  // A segment that is stored is removed; whoever has it open can still read it.
  const file = await diskFiles.open(path, 'read').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  const content = file && (await contentOf(file, path, name))
  if (!content) {
    await file?.close()
    return null
  }
  return content
}

async function contentOf(file: LogFile, path: string, name: SegmentName): Promise<Omit<Entry, 'name'> | null> {
  for (let look = 1; ; look++) {
    // What it says of itself must not be newer than what is taken of it.
    const head = await readHeadBlock(file)
    const found = await openSegment(file, path, name, head)
    if (!('segment' in found)) return null
    const end = Math.min(found.segment.end, await file.size())
    if (found.isTorn && look < LOOKS) {
      await sleep(LOOK_MS)
      continue
    }
    return end === SEGMENT_START ? null : { bytes: end, content: read(file, head, end) }
  }
}

async function* read(file: LogFile, head: Buffer, end: number): AsyncGenerator<Uint8Array> {
  try {
    yield head
    for (let at = SEGMENT_START; at < end; ) {
      const part = Buffer.alloc(Math.min(READ_BYTES, end - at))
      const count = await readPages(file, part, at)
      if (count === 0) break
      yield part.subarray(0, count)
      at += count
    }
  } finally {
    await file.close()
  }
}
