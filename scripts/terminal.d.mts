export interface Help {
  /** What the command does, and its options. */
  about: string
  /** Whole commands as they are typed. */
  examples: readonly [string, ...string[]]
  /** What each exit code means. */
  exits: Readonly<Record<number, string>>
}

/** What --help prints, alike for every command. */
export function helpText(help: Help): string
/** Ends the process without a word when nobody reads what it prints any more, as `head` does once it has its lines. */
export function endWithReader(): void
