import type { LogFile } from './files.ts'
import { FRAME_HEADER_BYTES, saltOfHeader } from './frame-header.ts'
import { readPages } from './read-pages.ts'
import { SEGMENT_START } from './segment.ts'
import { measure } from './segments.ts'

const READ_BYTES = 1024 * 1024
const ALIGN = 8
/** Salts that are tried on the whole segment. */
const TRIED = 4
/** Bytes of strangers could name any number of them. */
const MOST_CANDIDATES = 100_000

/**
 * The salt of a segment whose labels are lost, from its frames: a header holds with one salt alone, and that of most
 * headers is the segment's. Bytes in a payload that look like frames fill less of it than its own. Null where there is
 * no frame.
 */
export async function findSalt(file: LogFile, size: number): Promise<number | null> {
  const votes = new Map<number, number>()
  const buffer = Buffer.alloc(READ_BYTES)
  for (let at = SEGMENT_START; at < size; ) {
    const part = buffer.subarray(0, Math.min(buffer.length, size - at))
    const count = await readPages(file, part, at)
    if (count === 0) break
    for (let offset = 0; offset + FRAME_HEADER_BYTES <= count; offset += ALIGN) {
      const salt = saltOfHeader(buffer, offset)
      if (salt === null) continue
      // Where the first frame begins nobody else can have put one.
      const isFirst = at + offset === SEGMENT_START
      if (votes.has(salt) || votes.size < MOST_CANDIDATES)
        votes.set(salt, (votes.get(salt) ?? 0) + (isFirst ? Number.MAX_SAFE_INTEGER / 2 : 1))
    }
    at += count
  }
  const likely = [...votes].sort((a, b) => b[1] - a[1]).slice(0, TRIED)
  let best: { salt: number; bytes: number } | null = null
  for (const [salt] of likely) {
    const { end, frames, gaps } = await measure({ file, salt }, SEGMENT_START, size)
    const bytes = end - SEGMENT_START - gaps.reduce((sum, gap) => sum + gap.end - gap.from, 0)
    if (frames > 0 && (!best || bytes > best.bytes)) best = { salt, bytes }
  }
  return best?.salt ?? null
}
