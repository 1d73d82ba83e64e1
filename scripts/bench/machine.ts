import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'

/** The machine a figure was measured on; figures are meaningless without it. */
export function machine() {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    /** Average load of the last minute. If it is far above the benchmark's own, other programs distort the figures. */
    loadAverage: Math.round(loadavg()[0]! * 10) / 10,
  }
}

/** Linux counts CPU time in ticks of 1/100 s. */
const TICK_US = 10_000

/** CPU time used so far, in microseconds: by all threads of a process, and by its main thread (the event loop). */
export function cpuOf(pid: number): { process: number; loop: number } {
  return { process: cpuTime(`/proc/${pid}/stat`), loop: cpuTime(`/proc/${pid}/task/${pid}/stat`) }
}

function cpuTime(file: string): number {
  const text = readFileSync(file, 'utf8')
  // Field 2 is the process name in parentheses and may contain spaces; user and system time are fields 14 and 15.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_US
}

/** Prints a table with right-aligned numbers. */
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

/** The smallest of the numbers that at least `share` (0..1) of them do not exceed. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!
}
