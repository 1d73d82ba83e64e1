import { AppError } from '../server/errors.ts'

/** Checks the options of a command and collects all errors, to report them at once. */
export interface OptionCheck {
  /** A whole number from `min` to `max`; `otherwise` if the option is missing. Records an error if it is invalid. */
  whole<T>(name: string, text: string | undefined, bounds: { min: number; max: number; otherwise: T }): number | T
  /** Records an error; the message names the option. */
  refuse(what: string): void
  /** Throws AppError invalid_input with one line per recorded error. */
  assertRight(): void
}

export function createOptionCheck(): OptionCheck {
  const wrong: string[] = []
  return {
    whole(name, text, { min, max, otherwise }) {
      if (text === undefined) return otherwise
      // Stricter than Number(), which also accepts 1e3, 0x10, spaces and empty text.
      const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
      if (!(number >= min && number <= max))
        wrong.push(`${name} ${text}: must be a whole number from ${english(min)} to ${english(max)}.`)
      return number
    },
    refuse: (what) => void wrong.push(what),
    assertRight() {
      if (wrong.length > 0) throw new AppError('invalid_input', wrong.join('\n'))
    },
  }
}

function english(number: number): string {
  return number.toLocaleString('en')
}
