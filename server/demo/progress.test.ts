import { describe, expect, it } from 'vitest'
import { createProgress } from './progress.ts'

function output(isTTY: boolean) {
  const written: string[] = []
  return { isTTY, written, write: (text: string) => written.push(text) }
}

describe('createProgress', () => {
  it('writes over its line on a terminal and ends it at the end', () => {
    const terminal = output(true)
    const tell = createProgress('Seeding', 'events', terminal)
    tell(1500, 3000)
    tell(3000, 3000)
    expect(terminal.written).toEqual([
      '\r\x1b[KSeeding: 1,500 of 3,000 events',
      '\r\x1b[KSeeding: 3,000 of 3,000 events\n',
    ])
  })

  it('writes a plain line for each tenth elsewhere', () => {
    const file = output(false)
    const tell = createProgress('Seeding', 'events', file)
    for (let done = 1; done <= 100; done++) tell(done, 100)
    expect(file.written).toHaveLength(10)
    expect(file.written[0]).toBe('Seeding: 10 of 100 events\n')
    expect(file.written.at(-1)).toBe('Seeding: 100 of 100 events\n')
  })
})
