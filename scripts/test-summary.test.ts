import { describe, expect, it } from 'vitest'
import { type ReportedModule, type ReportedTest, type Skip, type SummaryRules, summarize } from './test-summary.ts'

const rules: SummaryRules = { unhandled: 0, ci: false, named: false, isThere: () => false }
const suite = { type: 'suite', meta: () => ({}) } as const

function test(name: string, state: string, meta: { skip?: Skip } = {}, note?: string): ReportedTest {
  return { fullName: name, meta: () => meta, result: () => ({ state, note }), parent: suite }
}

function file(tests: ReportedTest[], errors: unknown[] = []): ReportedModule {
  return {
    relativeModuleId: 'a.test.ts',
    state: () => 'passed',
    errors: () => errors,
    children: { allTests: () => tests, allSuites: () => [] },
  }
}

const noBrowser = { skip: { reason: 'no Chromium', path: '/usr/bin/chromium' } }

describe('summarize', () => {
  it('ends with the three counts', () => {
    const { lines, ok } = summarize(
      [file([test('one', 'passed'), test('two', 'failed'), test('three', 'passed')])],
      rules,
    )
    expect(lines).toEqual(['2 passed, 1 failed, 0 skipped'])
    expect(ok).toBe(false)
  })

  it('is well when everything passed', () => {
    expect(summarize([file([test('one', 'passed')])], rules)).toEqual({
      lines: ['1 passed, 0 failed, 0 skipped'],
      ok: true,
    })
  })

  it('prints each skip with its reason', () => {
    const { lines, ok } = summarize(
      [
        file([
          test('one', 'passed'),
          test('two', 'skipped', noBrowser),
          test('three', 'skipped', {}, 'root can write'),
        ]),
      ],
      rules,
    )
    expect(lines).toEqual([
      'Skipped: a.test.ts > two (no Chromium)',
      'Skipped: a.test.ts > three (root can write)',
      '1 passed, 0 failed, 2 skipped',
    ])
    expect(ok).toBe(true)
  })

  it('finds the reason on the suite around a test', () => {
    const inside: ReportedTest = { ...test('two', 'skipped'), parent: { ...suite, meta: () => noBrowser } }
    expect(summarize([file([test('one', 'passed'), inside])], rules).lines).toContain(
      'Skipped: a.test.ts > two (no Chromium)',
    )
  })

  it('fails a skip without a reason', () => {
    const { lines, ok } = summarize([file([test('one', 'passed'), test('two', 'skipped')])], rules)
    expect(lines.at(-1)).toBe('1 passed, 1 failed, 0 skipped')
    expect(ok).toBe(false)
  })

  it('fails in CI a skip for want of something that is there', () => {
    const found = summarize([file([test('one', 'passed'), test('two', 'skipped', noBrowser)])], {
      ...rules,
      ci: true,
      isThere: (path) => path === '/usr/bin/chromium',
    })
    expect(found.ok).toBe(false)
    expect(found.lines.at(-1)).toBe('1 passed, 1 failed, 0 skipped')
    const absent = summarize([file([test('one', 'passed'), test('two', 'skipped', noBrowser)])], { ...rules, ci: true })
    expect(absent.ok).toBe(true)
  })

  it('leaves out what a name filter did not ask for', () => {
    expect(summarize([file([test('one', 'passed'), test('two', 'skipped')])], { ...rules, named: true })).toEqual({
      lines: ['1 passed, 0 failed, 0 skipped'],
      ok: true,
    })
  })

  it('counts a file that broke, an uncaught error and a run without tests as failures', () => {
    expect(summarize([file([], [new Error('no such module')])], rules)).toEqual({
      lines: ['Failed: a.test.ts broke outside of its tests', '0 passed, 1 failed, 0 skipped'],
      ok: false,
    })
    expect(summarize([file([test('one', 'passed')])], { ...rules, unhandled: 1 }).ok).toBe(false)
    expect(summarize([], rules)).toEqual({ lines: ['Failed: no test ran', '0 passed, 0 failed, 0 skipped'], ok: false })
  })
})
