import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { findK6 } from '../scripts/k6.ts'
import type { LoadReport } from '../scripts/load/report.ts'
import { describeWith } from './needs.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const path = findK6()
const k6 = { path: path ?? 'k6', missing: path ? null : 'no k6 in the PATH or in ../shared/bin (https://k6.io)' }

function load(...args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/load.ts', ...args], { cwd: root })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    child.once('close', (code) => resolve({ code, output }))
  })
}

describeWith(k6, 'npm run load', () => {
  it('stores every event that k6 saw accepted, and says so in Markdown and JSON', async () => {
    // What is judged here is the counting: how fast answers come is the machine's affair as well.
    const out = mkdtempSync(join(tmpdir(), 'veritas-load-test-'))
    const { output } = await load('--profile', 'realistic', '--rate', '600', '--seconds', '4', '--out', out)
    const report = JSON.parse(readFileSync(join(out, 'load-realistic.json'), 'utf8')) as LoadReport
    expect(report.counts.accepted, output).toBeGreaterThan(0)
    expect(report.truths.map(({ ok }) => ok)).toEqual([true, true])
    expect(report.truths[0]!.what).toBe(`accepted ${report.counts.accepted} = stored ${report.counts.accepted}`)
    expect(output).toContain(readFileSync(join(out, 'load-realistic.md'), 'utf8').trim())
    rmSync(out, { recursive: true })
  })

  it('finds every accepted event once after a kill in the middle', async () => {
    const { code, output } = await load('--profile', 'smoke', '--seconds', '6', '--kill')
    expect(output).toMatch(/killed once: accepted ([1-9]\d+) = answered with 202 \1 \| yes/)
    for (const truth of ['0 accepted events missing', '0 stored twice', '0 stored that nobody sent'])
      expect(output).toContain(`| ${truth} | yes |`)
    expect(code, output).toBe(0)
  })

  it('answers everybody in a spike, and asks those it refuses to come back', async () => {
    const { code, output } = await load('--profile', 'spike', '--rate', '30000', '--seconds', '8')
    expect(output).toContain('| refused_without_retry_after count==0 | yes |')
    expect(code, output).toBe(0)
  })

  it('names an option it does not know', async () => {
    const { code, output } = await load('--profile', 'party')
    expect(code).toBe(2)
    expect(output).toContain('--profile takes smoke, claim, realistic, spike, soak, not party.')
  })
})
