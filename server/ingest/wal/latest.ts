import { join } from 'node:path'
import { readCheckpoint } from './checkpoint.ts'
import { type LogFiles, namesIn, namesInSlot } from './files.ts'
import { openSegment } from './open-segments.ts'
import { later, parseSegmentFileName, type SegmentName, segmentFileName } from './segment.ts'

/**
 * How far the order of arrival came in a folder of logs (Wal.latestAt), also in those of owners of whom it is not known
 * yet whether they live, as after the machine was started anew. Only reads, and passes over what it cannot read.
 */
export async function findLatest(dir: string, files: LogFiles): Promise<number | null> {
  let latest: number | null = null
  for (const slot of await namesIn(dir, files)) {
    if (!/^\d+$/.test(slot)) continue
    const folder = join(dir, slot)
    const checkpoint = await readCheckpoint(files, folder).catch(() => null)
    latest = later(latest, checkpoint?.latestAt)
    for (const fileName of await namesInSlot(folder, files)) {
      const name = parseSegmentFileName(fileName)
      if (name) latest = later(latest, await latestIn(files, folder, name).catch(() => null))
    }
  }
  return latest
}

async function latestIn(files: LogFiles, folder: string, name: SegmentName): Promise<number | null> {
  const path = join(folder, segmentFileName(name))
  const file = await files.open(path, 'read')
  try {
    const found = await openSegment(file, path, name)
    return 'segment' in found ? (found.segment.latestAt ?? null) : null
  } finally {
    await file.close()
  }
}
