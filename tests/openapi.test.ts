import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'
import { describeWith, type Need } from './needs.ts'
import { findProgram } from './programs.ts'
import { startServer, type TestServer, temporaryFolder } from './server.ts'
import { signUpOwner } from './shop.ts'

const run = promisify(execFile)

/**
 * Requests made of the OpenAPI document, by a program of Python: SCHEMATHESIS=$(bash .ci/schemathesis) installs it in a
 * virtual environment. With SCHEMATHESIS_EXAMPLES an operation gets so many random requests at most, others each time.
 */
const schemathesis = process.env.SCHEMATHESIS ?? findProgram('schemathesis', [], '/usr/local/bin')
const need: Need = {
  path: schemathesis,
  missing: existsSync(schemathesis) ? null : 'no schemathesis: set SCHEMATHESIS=$(bash .ci/schemathesis)',
}

/** Each event of a post is judged by itself, and one with an odd payload is marked: a post of others is taken. */
const rules = `[[operations]]
include-path = "/events"
checks.negative_data_rejection.enabled = false
`
const examples = process.env.SCHEMATHESIS_EXAMPLES
/** Less than a minute on a machine that has nothing else to do. */
const MAX_MS = 15 * 60_000

describeWith(need, 'the OpenAPI document', () => {
  let server: TestServer
  let token: string

  beforeAll(async () => {
    server = await startServer({ args: ['--no-demo'] })
    await signUpOwner(server.url)
    const make = ['--import', 'tsx', 'scripts/tokens.ts', 'create', '--name', 'fuzz', '--data-dir', server.dataDir]
    token = (await run('node', make)).stdout.trim()
  })

  it(
    'describes the answers to whatever is asked',
    async () => {
      const options = [
        ...['--url', server.url, '-H', `Authorization: Bearer ${token}`],
        ...['--phases', 'coverage,fuzzing', '--continue-on-failure', '--request-timeout', '60'],
        // A failure that comes by chance is for the night.
        ...(examples === undefined ? ['--max-examples', '10', '--seed', '1'] : ['--max-examples', examples]),
        // Of rules that a schema cannot say, such as times that are too far ahead, a valid request may break one.
        ...['--exclude-checks', 'positive_data_acceptance,ignored_auth'],
        // A try of a password costs a tenth of a second, on purpose, and soon is one too many.
        ...['--exclude-path-regex', '^/api/auth/'],
      ]
      const cwd = temporaryFolder()
      await writeFile(join(cwd, 'schemathesis.toml'), rules)
      const env = { ...process.env, HYPOTHESIS_STORAGE_DIRECTORY: temporaryFolder() }
      const ended = await run(schemathesis, ['run', `${server.url}/api-docs.json`, ...options], {
        cwd,
        env,
        timeout: MAX_MS,
        maxBuffer: 64 * 1024 * 1024,
      }).then(
        ({ stdout }) => ({ code: 0, stdout }),
        (error: { code: number; stdout: string }) => ({ code: error.code, stdout: error.stdout }),
      )
      expect(ended.stdout).toContain('SUMMARY')
      expect(ended.code, ended.stdout.slice(-20_000)).toBe(0)
      expect(server.problems().filter((line) => line.includes('"level":50'))).toEqual([])
    },
    MAX_MS + 60_000,
  )
})
