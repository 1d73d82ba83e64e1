/** One line of the targets' table. Absolute figures and those without a goal are reported, not judged: met is null. */
export interface Finding {
  /** P1 … P11 of the speed targets. */
  target: string
  what: string
  measured: string
  goal: string
  met: boolean | null
}

/** What a section of the bench found; the rest of it is raw figures for the JSON result. */
export interface Section {
  findings: Finding[]
}

export interface SectionOptions {
  quick: boolean
  /** The soak for half an hour. */
  long: boolean
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

export const count = (value: number) => whole.format(value)
export const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`
export const us = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} µs`
export const times = (value: number) => `${value.toFixed(2)} x`
export const megabytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(0)} MB`
