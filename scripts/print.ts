import { printable, printableLines } from '../server/telemetry/printable.ts'

/** A line of fields, apart by tabs, on standard output. What others sent can neither end the line nor command the terminal. */
export function print(...fields: readonly (string | number)[]): void {
  console.log(fields.map((field) => printable(String(field))).join('\t'))
}

/** Text whose line ends are ours, on standard output. */
export function printLines(text: string): void {
  console.log(printableLines(text))
}

/** The same on standard error, for people. */
export function complain(text: string): void {
  console.error(printableLines(text))
}

/** "1 event", "2 events". */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
