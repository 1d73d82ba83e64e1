import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'

/** An accepted event that no store will take, kept with the reason instead of being lost. */
export interface DeadLetter {
  at: string
  reason: string
  event: unknown
}

export interface DeadLetters {
  /** Resolves when the letters are on disk. */
  add(letters: DeadLetter[]): Promise<void>
  close(): Promise<void>
}

/** One JSON object a line in dead-letters.ndjson of the data folder; the file appears with the first letter. */
export function createDeadLetters({ dataDir }: { dataDir: string }): DeadLetters {
  let file: FileHandle | null = null
  return {
    async add(letters) {
      file ??= await open(join(dataDir, 'dead-letters.ndjson'), 'a', 0o600)
      await file.appendFile(letters.map((letter) => `${JSON.stringify(letter)}\n`).join(''))
      await file.datasync()
    },
    async close() {
      await file?.close()
    },
  }
}
