/** One row of the table of targets. `met` is null for figures that have no goal or depend on the machine. */
export interface Finding {
  /** Name of the speed target: P1 … P11. */
  target: string
  what: string
  measured: string
  goal: string
  met: boolean | null
}

/** The result of a benchmark section; further properties are raw figures for the JSON file. */
export interface Section {
  findings: Finding[]
}

export interface SectionOptions {
  quick: boolean
  /** Run the soak for 30 minutes. */
  long: boolean
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

export const count = (value: number) => whole.format(value)
export const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`
export const us = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} µs`
export const times = (value: number) => `${value.toFixed(2)} x`
export const megabytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(0)} MB`
