import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { findK6 } from '../scripts/k6.ts'
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
  it('stores every event that k6 saw accepted', async () => {
    // What is judged here is the counting: how fast answers come is the machine's affair as well.
    const { output } = await load('--profile', 'smoke', '--seconds', '3')
    const [, accepted, stored] = /Accepted (\d+) events, stored (\d+)\./.exec(output) ?? []
    expect(Number(accepted), output).toBeGreaterThan(500)
    expect(stored).toBe(accepted)
  })

  it('finds every accepted event once after a kill in the middle', async () => {
    const { code, output } = await load('--profile', 'smoke', '--seconds', '6', '--kill')
    expect(output).toMatch(/Accepted [1-9]\d+ events: 0 missing, 0 stored twice\./)
    expect(output).toContain('0 stored that nobody sent')
    expect(code, output).toBe(0)
  })
})
