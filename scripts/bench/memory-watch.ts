import { readFileSync } from 'node:fs'

const PAGE_BYTES = 4096

/** Memory that a process holds, in bytes; 0 once it is gone. */
export function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES
  } catch {
    return 0
  }
}

/** Looks at a process's memory ten times a second until stopped. */
export function watchMemory(pid: number): { stop(): { samples: [atMs: number, bytes: number][]; maxBytes: number } } {
  const samples: [number, number][] = []
  const started = performance.now()
  const look = () => samples.push([performance.now() - started, residentBytes(pid)])
  look()
  const timer = setInterval(look, 100)
  return {
    stop() {
      clearInterval(timer)
      look()
      return { samples, maxBytes: Math.max(...samples.map(([, bytes]) => bytes)) }
    },
  }
}
