import { AppError } from '../server/errors.ts'

/** Looks at the options of a command and tells all that is wrong with them together. */
export interface OptionCheck {
  /** A number in plain digits from `min` to `max`; `otherwise` where the option is not given. */
  whole<T>(name: string, text: string | undefined, bounds: { min: number; max: number; otherwise: T }): number | T
  /** Notes what is wrong, with the name of its option. */
  refuse(what: string): void
  /** Throws AppError invalid_input with a line for each thing that is wrong. */
  assertRight(): void
}

export function createOptionCheck(): OptionCheck {
  const wrong: string[] = []
  return {
    whole(name, text, { min, max, otherwise }) {
      if (text === undefined) return otherwise
      // Not what Number() takes besides: 1e3, 0x10, blanks, nothing.
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
