import { printable, printableLines } from '../server/telemetry/printable.ts'

/** Prints a line of tab-separated fields. Escapes line breaks and control characters in data from clients. */
export function print(...fields: readonly (string | number)[]): void {
  console.log(fields.map((field) => printable(String(field))).join('\t'))
}

/** Prints text that may have several lines, escaping other control characters. */
export function printLines(text: string): void {
  console.log(printableLines(text))
}

/** Like printLines, on standard error. */
export function complain(text: string): void {
  console.error(printableLines(text))
}

/** "1 event", "2 events". */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
