import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { describeWith } from './needs.ts'
import { findProgram, sharedPrograms } from './programs.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, '.github/workflows')
const workflows = readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }

describe('workflows of GitHub Actions', () => {
  it('are there for every push, for releases and for the night', () => {
    expect(workflows.map(({ name }) => name).sort()).toEqual(['ci.yml', 'deploy.yml', 'nightly.yml'])
  })

  it.each(workflows)('$name uses actions by the commit, with the version beside it', ({ text }) => {
    const used = [...text.matchAll(/uses: (.+)/g)].map(([, action]) => action!)
    expect(used.length).toBeGreaterThan(0)
    const foreign = used.filter((action) => !action.startsWith('./'))
    for (const action of foreign) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
    for (const own of used.filter((action) => action.startsWith('./'))) expect(existsSync(join(root, own))).toBe(true)
  })

  it.each(workflows)('$name calls commands that there are', ({ text }) => {
    for (const [, script] of text.matchAll(/npm run ([\w:-]+)/g)) expect(Object.keys(scripts)).toContain(script)
    for (const [, file] of text.matchAll(/bash ([\w./-]+)/g)) expect(existsSync(join(root, file!))).toBe(true)
  })

  it.each(workflows)('$name may write nothing by default, and keeps no login in the checkout', ({ text }) => {
    expect(text).toMatch(/^permissions:\n {2}contents: read$/m)
    expect(text.match(/actions\/checkout@/g)?.length).toBe(text.match(/persist-credentials: false/g)?.length)
  })

  it('ci judges each commit of main and each release, however many come at once', () => {
    const { text } = workflows.find(({ name }) => name === 'ci.yml')!
    // One group for all of them would drop those that wait, cancel-in-progress or not.
    expect(text).toMatch(
      /^ {2}group: ci-\S+ github\.event_name == 'pull_request' && github\.ref \|\| github\.run_id \}\}$/m,
    )
    expect(text).toMatch(/^ {2}push:\n {4}branches: \[main\]$/m)
  })

  it('deploy never breaks a release off', () => {
    const { text } = workflows.find(({ name }) => name === 'deploy.yml')!
    expect(text).toMatch(/concurrency:[\s\S]*?cancel-in-progress: false/)
    expect(text).toContain('id-token: write')
    expect(text).not.toMatch(/AWS_SECRET_ACCESS_KEY|aws-secret-access-key/)
  })
})

const path = findProgram('actionlint', [sharedPrograms], sharedPrograms)
const actionlint = { path, missing: existsSync(path) ? null : 'no actionlint in the PATH or in ../shared/bin' }

describeWith(actionlint, 'actionlint', () => {
  it('finds nothing wrong', async () => {
    const { stdout } = await promisify(execFile)(path, ['-no-color'], { cwd: root })
    expect(stdout).toBe('')
  })
})
