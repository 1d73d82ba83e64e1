import { Writable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printable, printableLines } from './printable.ts'
import { createTelemetry } from './telemetry.ts'

/** What no terminal may be given: Unicode's own list of control and direction characters. */
const obeyed = /[\p{Cc}\p{Cs}\p{Bidi_C}\u2028\u2029]/u
const hostile = '\u001b]0;owned\u0007\u001b[2J\rroot\u009b31m\u202egnp.exe\u2066\u007f\u200b\u{e0041}\ud800'
const anyText = fc.string({ unit: fc.oneof(fc.constantFrom(...hostile, '\n', '\t'), fc.string({ unit: 'binary' })) })

describe('printable', () => {
  it('leaves nothing that a terminal obeys, and everything that people write', () => {
    expect(printable(hostile)).toBe(
      '\\u001b]0;owned\\u0007\\u001b[2J\\u000droot\\u009b31m\\u202egnp.exe\\u2066\\u007f\\u200b\\udb40\\udc41\\ud800',
    )
    expect(printable('a\nb\tc')).toBe('a\\u000ab\\u0009c')
    for (const text of ['Zoë Müller', 'می‌خواهم', 'עברית', '👩‍👩‍👧', 'naïve – “q” …', 'a\\nb'])
      expect(printable(text)).toBe(text)
    fc.assert(fc.property(anyText, (text) => !obeyed.test(printable(text))))
    fc.assert(fc.property(anyText, (text) => !obeyed.test(printableLines(text).replaceAll('\n', ''))))
  })

  it('keeps JSON the JSON it was', () => {
    for (const space of [0, 2])
      fc.assert(
        fc.property(anyText, (text) => {
          const value = { [text]: [text] }
          expect(JSON.parse(printableLines(JSON.stringify(value, null, space)))).toEqual(value)
        }),
      )
  })
})

describe('the log', () => {
  it('has nothing that a terminal obeys, whatever strangers sent', () => {
    let printed = ''
    const stream = new Writable({
      write(text, _encoding, done) {
        printed += text
        done()
      },
    })
    const { log } = createTelemetry({ logLevel: 'info', stream })
    log.info({ path: hostile, [hostile]: 1, err: new Error(hostile) }, hostile)
    expect(printed.endsWith('\n')).toBe(true)
    expect(printed.trimEnd()).not.toMatch(obeyed)
    expect(JSON.parse(printed)).toMatchObject({ msg: hostile, path: hostile })
  })
})
