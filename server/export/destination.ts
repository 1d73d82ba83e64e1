/**
 * A place that takes whole files by key, such as "site=default/day=2026-11-22/manifest.json". What is asked of a place
 * across a network ends with the signal's reason when that aborts.
 */
export interface Destination {
  /** For messages; holds no secret. */
  readonly place: string
  /** What is at the key; null when nothing is. */
  read(key: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | null>
  /** Its size; null when nothing is there. */
  bytes(key: string, signal?: AbortSignal): Promise<number | null>
  /**
   * Resolves when the whole content is at the key and survives a power cut. Until then, and when it fails or the signal
   * aborts, the key stays as it was.
   */
  write(key: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>
  /** Nothing is at the key afterwards. */
  remove(key: string, signal?: AbortSignal): Promise<void>
  /** Removes what writes that died left behind under this prefix; nobody may be writing there. */
  tidy(prefix: string, signal?: AbortSignal): Promise<void>
  close(): void
}

/** All of a small file as text; null when nothing is there. */
export async function readText(
  destination: Pick<Destination, 'read'>,
  key: string,
  signal?: AbortSignal,
): Promise<string | null> {
  const content = await destination.read(key, signal)
  if (!content) return null
  const parts: Uint8Array[] = []
  for await (const part of content) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}
