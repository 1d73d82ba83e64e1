import { existsSync } from 'node:fs'
import { parseCLI, startVitest } from 'vitest/node'
import { summarize } from './test-summary.ts'

/** Runs vitest in this process and summarizes the results. */
export async function runTests(args: string[]): Promise<{ lines: string[]; ok: boolean }> {
  const { filter, options } = parseCLI(['vitest', 'run', ...args])
  const vitest = await startVitest('test', filter, { ...options, watch: false })
  const modules = vitest.state.getTestModules()
  const unhandled = vitest.state.getUnhandledErrors().length
  const summary = summarize(modules, {
    unhandled,
    ci: process.env.CI === 'true',
    named: options.testNamePattern !== undefined,
    isThere: existsSync,
  })
  await vitest.close()
  return summary
}
