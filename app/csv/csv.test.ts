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

  it.each(['＝1', '＋1', '－1', '＠x', '﹢1', '﹣1', '−1'])('disarms %s, another form of such a sign', (text) => {
    expect(csvLine([text])).toBe(`'${text}\r\n`)
  })

  it.each([' =1', '\u00a0+1', '\u3000＝1', '\n=1', '\u0000=1', '\u200b@x', '\ufeff-1', '\u202e=1', '\t ＠x'])(
    'disarms %j, whose beginning is not seen',
    (text) => {
      expect(csvLine([text]).replaceAll('"', '')).toBe(`'${text}\r\n`)
    },
  )

  it.each(['a=1', 'cust-1', ' a', '5-1', 'ü', '\u{1f6d2}'])('leaves %j as it is', (text) => {
    expect(csvLine([text])).toBe(`${text}\r\n`)
  })

  it('leaves numbers alone, also those written by their digits', () => {
    expect(csvLine([-1, { digits: '-12.50' }, { digits: '90071992547409.93' }])).toBe('-1,-12.50,90071992547409.93\r\n')
    expect(csvLine([{ digits: '-1+cmd()' }])).toBe("'-1+cmd()\r\n")
  })

  it('keeps a text in its cell where semicolons part the cells', () => {
    expect(csvLine(['a;=1'])).toBe('"a;=1"\r\n')
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

  it('says once that it is over: read, left, left before a line was asked for, or failed', async () => {
    const ways: ((stream: ReadableStream<Uint8Array>) => Promise<unknown>)[] = [
      (stream) => new Response(stream).text(),
      async (stream) => {
        const reader = stream.getReader()
        await reader.read()
        const next = reader.read()
        await reader.cancel()
        await next
      },
      (stream) => stream.cancel(),
    ]
    async function* failing() {
      yield csvLine(['first'])
      throw new Error('the store is away')
    }
    const ended: string[] = []
    for (const [way, read] of ways.entries()) await read(csvStream(lines([]), async () => void ended.push(`${way}`)))
    const failed = csvStream(failing(), async () => void ended.push('failed'))
    await expect(new Response(failed).text()).rejects.toThrow('the store is away')
    expect(ended).toEqual(['0', '1', '2', 'failed'])
  })
})
