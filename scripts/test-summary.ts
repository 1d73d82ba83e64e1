import type { TestCase, TestModule, TestSuite } from 'vitest/node'

/** Set by tests/needs.ts on a suite that cannot run here: the reason, and the file that would have to exist. */
export interface Skip {
  reason: string
  path: string
}

declare module 'vitest' {
  interface TaskMeta {
    skip?: Skip
  }
}

/** The part of a vitest report that is used. */
export type ReportedTest = Pick<TestCase, 'fullName' | 'meta'> & {
  result(): { state: string; note?: string | undefined }
  parent: ReportedParent
}
export type ReportedParent = Pick<TestSuite | TestModule, 'meta' | 'type'> & { parent?: ReportedParent }
export interface ReportedModule {
  relativeModuleId: string
  state(): string
  errors(): readonly unknown[]
  children: { allTests(): Iterable<ReportedTest>; allSuites(): Iterable<{ errors(): readonly unknown[] }> }
}

export interface SummaryRules {
  /** Number of errors outside of tests. */
  unhandled: number
  /** In CI, skipping a suite although the file it needs exists counts as a failure. */
  ci: boolean
  /** Whether only tests with a given name were requested; the others do not count as skipped then. */
  named: boolean
  isThere(path: string): boolean
}

/**
 * The summary of a test run; its last line is "N passed, N failed, N skipped". An error in a file or suite outside its
 * tests, an unhandled error and a skip without a reason each count as one failure. `ok` is false if nothing ran.
 */
export function summarize(modules: readonly ReportedModule[], rules: SummaryRules): { lines: string[]; ok: boolean } {
  const lines: string[] = []
  let passed = 0
  let failed = rules.unhandled
  let skipped = 0
  if (rules.unhandled > 0) lines.push(`Failed: ${rules.unhandled} error(s) that no test caught`)

  for (const module of modules) {
    const broken = [module, ...module.children.allSuites()].filter((part) => part.errors().length > 0)
    if (broken.length > 0) lines.push(`Failed: ${module.relativeModuleId} broke outside of its tests`)
    failed += broken.length
    for (const test of module.children.allTests()) {
      const name = `${module.relativeModuleId} > ${test.fullName}`
      const result = test.result()
      if (result.state === 'passed') passed += 1
      else if (result.state === 'failed') failed += 1
      else {
        const skip = skipOf(test)
        const reason = skip?.reason ?? result.note
        if (!reason && (rules.named || broken.length > 0)) continue
        if (!reason) {
          failed += 1
          lines.push(`Failed: ${name} was skipped without a reason`)
        } else if (rules.ci && skip && rules.isThere(skip.path)) {
          failed += 1
          lines.push(`Failed: ${name} was skipped (${reason}), yet ${skip.path} is there`)
        } else {
          skipped += 1
          lines.push(`Skipped: ${name} (${reason})`)
        }
      }
    }
  }
  const ran = passed + failed > 0
  if (!ran) lines.push('Failed: no test ran')
  lines.push(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  return { lines, ok: ran && failed === 0 }
}

function skipOf(test: ReportedTest): Skip | undefined {
  let part: ReportedTest | ReportedParent | undefined = test
  while (part) {
    const skip = part.meta().skip
    if (skip) return skip
    part = 'parent' in part ? part.parent : undefined
  }
  return undefined
}
