export interface Help {
  /** What the command does, and its options. */
  about: string
  /** Complete command lines. */
  examples: readonly [string, ...string[]]
  /** What each exit code means. */
  exits: Readonly<Record<number, string>>
}

/** The text for --help: description and options, then examples, then exit codes. */
export function helpText(help: Help): string
/** Ends the process silently when its output is no longer read, as after `| head`. */
export function endWithReader(): void
