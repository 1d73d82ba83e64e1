/**
 * How commands speak to whoever runs them. Plain JavaScript without a dependency, since npm start and others need it
 * before the packages are installed.
 */

/** As programs that were ended by SIGPIPE. */
const READER_IS_GONE = 141

/** What --help prints, alike for every command: what it does and takes, then examples, then what its exit codes mean. */
export function helpText({ about, examples, exits }) {
  const width = Math.max(...Object.keys(exits).map((code) => code.length))
  return [
    about,
    ['Examples', ...examples.map((example) => `  ${example}`)].join('\n'),
    ['Exit codes', ...Object.entries(exits).map(([code, says]) => `  ${code.padEnd(width)}  ${says}`)].join('\n'),
  ].join('\n\n')
}

/** Ends the process without a word when nobody reads what it prints any more, as `head` does once it has its lines. */
export function endWithReader() {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error) => {
      if (error.code !== 'EPIPE') throw error
      process.exit(READER_IS_GONE)
    })
}
