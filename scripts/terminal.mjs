/**
 * Terminal output of commands. Plain JavaScript without dependencies, since npm start and others use it before the
 * packages are installed.
 */

/** Exit code as of a program ended by SIGPIPE (128 + 13). */
const READER_IS_GONE = 141

/** The text for --help: description and options, then examples, then exit codes. */
export function helpText({ about, examples, exits }) {
  const width = Math.max(...Object.keys(exits).map((code) => code.length))
  return [
    about,
    ['Examples', ...examples.map((example) => `  ${example}`)].join('\n'),
    ['Exit codes', ...Object.entries(exits).map(([code, says]) => `  ${code.padEnd(width)}  ${says}`)].join('\n'),
  ].join('\n\n')
}

/** Ends the process silently when its output is no longer read, as after `| head`. */
export function endWithReader() {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error) => {
      if (error.code !== 'EPIPE') throw error
      process.exit(READER_IS_GONE)
    })
}
