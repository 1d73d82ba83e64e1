import { describe, expect, it } from 'vitest'
import { csvLine, csvStream } from './csv.ts'

describe('a line of CSV', () => {
  it('quotes only what must be quoted', () => {
    expect(csvLine(['a', 'b c', 1.5, ''])).toBe('a,b c,1.5,\r\n')
    expect(csvLine(['a,b', 'say "hi"', 'two\nlines'])).toBe('"a,b","say ""hi""","two\nlines"\r\n')
  })

  it.each(['=cmd()', '+1', '-1', '@x', '\tx'])('disarms %j, which a spreadsheet would run', (text) => {
    expect(csvLine([text]).replaceAll('"', '')).toBe(`'${text}\r\n`)
  })

  it('leaves numbers alone', () => {
    expect(csvLine([-1])).toBe('-1\r\n')
  })
})

describe('a stream of CSV', () => {
  async function* lines(log: string[]) {
    try {
      for (let line = 1; line <= 1000; line++) {
        log.push(`made ${line}`)
        yield csvLine([line])
      }
    } finally {
      log.push('ended')
    }
  }

  it('carries every line after the mark of UTF-8', async () => {
    const bytes = new Uint8Array(await new Response(csvStream(lines([]))).arrayBuffer())
    expect([...bytes.slice(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
    expect(new TextDecoder().decode(bytes).trim().split('\r\n')).toHaveLength(1000)
  })

  it('stops reading when the reader leaves', async () => {
    const log: string[] = []
    const reader = csvStream(lines(log)).getReader()
    await reader.read()
    await reader.read()
    await reader.cancel()
    expect(log.at(-1)).toBe('ended')
    expect(log.length).toBeLessThan(10)
  })
})
