import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { diskFiles, namesIn } from '../ingest/wal/files.ts'
import {
  parseSegmentFileName,
  readSegmentLabel,
  SEGMENT_START,
  saltOf,
  segmentFileName,
} from '../ingest/wal/segment.ts'
import { measure, type Segment } from '../ingest/wal/segments.ts'
import type { Entry } from './tar.ts'

/** Looks at a segment while a commit is being written see half a frame; a moment later it is whole. */
const LOOKS = 3
const LOOK_MS = 100

/**
 * What the logs of all processes hold, each segment up to its last whole frame; the processes may go on writing.
 * Everything committed before the call is in it, unless it was stored meanwhile: take the store afterwards. How far each
 * log was stored is left out: a restored log is stored once more from its beginning, which changes nothing.
 */
export async function* logEntries(dir: string): AsyncGenerator<Entry> {
  for (const slot of await namesIn(dir)) {
    if (!/^\d+$/.test(slot)) continue
    for (const file of (await namesIn(join(dir, slot))).sort()) {
      const name = parseSegmentFileName(file)
      const end = name && (await endOf(join(dir, slot), name))
      if (!name || end === null || end === SEGMENT_START) continue
      const path = join(dir, slot, segmentFileName(name))
      // A segment that is stored is removed; whoever has it open can still read it.
      const content = createReadStream(path, { end: end - 1 })
      const opened = await new Promise<boolean>((resolve) => {
        content.once('open', () => resolve(true)).once('error', () => resolve(false))
      })
      if (opened) yield { name: `wal/${slot}/${file}`, bytes: end, content }
    }
  }
}

/** Where the last whole frame of a segment ends; null for one that is gone or never was one. */
async function endOf(folder: string, name: { epoch: number; seq: number }): Promise<number | null> {
  const path = join(folder, segmentFileName(name))
  const file = await diskFiles.open(path, 'read').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (!file) return null
  try {
    const label = await readSegmentLabel(file, path)
    if (!label) return null
    if (label.content) return label.content.end
    const empty = { end: SEGMENT_START, frames: 0, events: 0, oldestAt: null, damaged: 0 }
    const segment: Segment = { ...name, ...empty, id: label.id, salt: saltOf(label.id), path, file }
    for (let look = 1; ; look++) {
      const { end, damaged } = await measure(segment, SEGMENT_START, await file.size())
      if (damaged === 0 || look === LOOKS) return end
      await sleep(LOOK_MS)
    }
  } finally {
    await file.close()
  }
}
