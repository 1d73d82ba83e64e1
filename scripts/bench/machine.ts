import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'

/** What a figure was measured on; without it, it says nothing. */
export function machine() {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    /** Of the last minute: much above what the bench itself uses, times and rates are of a crowded machine. */
    loadAverage: Math.round(loadavg()[0]! * 10) / 10,
  }
}

/** Linux counts CPU time in ticks of 1/100 s. */
const TICK_US = 10_000

/** CPU time spent so far, in microseconds: by all threads of a process, and by its main thread alone. */
export function cpuOf(pid: number): { process: number; loop: number } {
  return { process: cpuTime(`/proc/${pid}/stat`), loop: cpuTime(`/proc/${pid}/task/${pid}/stat`) }
}

function cpuTime(file: string): number {
  const text = readFileSync(file, 'utf8')
  // The second field is the name in brackets, which may hold blanks; user and system time are fields 14 and 15.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_US
}

/** Prints rows under their headings, numbers to the right. */
export function printTable(headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = headings.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')
  console.log(line(headings))
  console.log(widths.map((width) => '-'.repeat(width)).join('  '))
  for (const row of rows) console.log(line(row))
}

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5)
}

/** The smallest of the numbers that is no less than that share of them. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!
}
