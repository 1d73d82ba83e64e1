import { readFileSync } from 'node:fs'

const PAGE_BYTES = 4096

/** Resident memory of a process in bytes; 0 if it has ended. */
export function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES
  } catch {
    return 0
  }
}

/** Samples a process's memory ten times a second until stopped. */
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
