import type { LogFile } from './files.ts'

/** What a disk reads or does not read as a whole. */
const PAGE_BYTES = 4096
/** Errors of a place on the disk; any other may be of the moment and is thrown. */
const UNREADABLE = ['EIO', 'EUCLEAN', 'EBADMSG', 'ENODATA', 'EILSEQ']
/** In the place of a page that cannot be read: no checksum holds over it, and it does not pass for never written. */
const FILLER = 0xff

/**
 * Reads as LogFile.read does. Where a part of it cannot be read, every page is read by itself, and those that cannot
 * come as bytes that are none of the log's.
 */
export async function readPages(file: LogFile, buffer: Uint8Array, position: number): Promise<number> {
  try {
    return await file.read(buffer, position)
  } catch (error) {
    if (!isUnreadable(error)) throw error
  }
  const count = Math.max(0, Math.min(buffer.length, (await file.size()) - position))
  for (let at = 0; at < count; ) {
    const end = Math.min(count, at + PAGE_BYTES - ((position + at) % PAGE_BYTES))
    const page = buffer.subarray(at, end)
    try {
      await file.read(page, position + at)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      page.fill(FILLER)
    }
    at = end
  }
  return count
}

/** Whether an error says that this place of the disk cannot be read, now and later. */
export function isUnreadable(error: unknown): boolean {
  return UNREADABLE.includes((error as NodeJS.ErrnoException).code ?? '')
}
