import type { LogFiles } from './files.ts'

/** Files of which some sync only when they are let, for tests. */
export interface HeldSyncs<Files extends LogFiles> {
  files: Files
  /** Of the syncs that wait. */
  readonly waiting: readonly unknown[]
  hold(): void
  release(): void
}

export function holdSyncs<Files extends LogFiles>(files: Files, isMeant: (path: string) => boolean): HeldSyncs<Files> {
  const waiting: (() => void)[] = []
  let isHolding = false
  return {
    files: {
      ...files,
      async open(path, mode) {
        const file = await files.open(path, mode)
        if (!isMeant(path)) return file
        return {
          ...file,
          async sync() {
            if (isHolding) await new Promise<void>((resolve) => waiting.push(resolve))
            return file.sync()
          },
        }
      },
    },
    waiting,
    hold() {
      isHolding = true
    },
    release() {
      isHolding = false
      for (const go of waiting.splice(0)) go()
    },
  }
}
