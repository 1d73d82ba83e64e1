import type { LogFile, LogFiles } from './files.ts'

/** A disk as one process sees it: once the process is killed nothing it asked for comes back, done or not. */
export interface MortalFiles {
  files: LogFiles
  kill(): void
  /** Resolves when it is killed. */
  killed: Promise<null>
}

/** For tests with several processes on one disk, of which each can be killed alone. */
export function mortalFiles(disk: LogFiles): MortalFiles {
  let isDead = false
  let tellKilled = (_: null) => {}
  const killed = new Promise<null>((resolve) => {
    tellKilled = resolve
  })
  const never = new Promise<never>(() => {})

  async function unlessDead<T>(work: () => Promise<T>): Promise<T> {
    if (isDead) return never
    try {
      const result = await work()
      return isDead ? never : result
    } catch (error) {
      if (isDead) return never
      throw error
    }
  }

  function mortal<Part extends object>(part: Part): Part {
    return new Proxy(part, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        return typeof value !== 'function' ? value : (...args: unknown[]) => unlessDead(() => value.apply(target, args))
      },
    })
  }

  return {
    files: mortal<LogFiles>({
      ...disk,
      open: async (path, mode) => mortal<LogFile>(await disk.open(path, mode)),
    }),
    kill() {
      isDead = true
      tellKilled(null)
    },
    killed,
  }
}
