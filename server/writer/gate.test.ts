import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createGate } from './gate.ts'

describe('gate', () => {
  it('runs what is to run alone when nothing else does, one after the other', async () => {
    const gate = createGate()
    const ends = new Map<string, () => void>()
    const log: string[] = []
    const work = (name: string) => async () => {
      log.push(`${name} begins`)
      await new Promise<void>((resolve) => ends.set(name, resolve))
      log.push(`${name} ends`)
      return name
    }
    const end = async (name: string) => {
      ends.get(name)!()
      for (let turns = 0; turns < 5; turns++) await setImmediate()
    }
    const all = [
      gate.together(work('a')),
      gate.together(work('b')),
      gate.alone(work('c')),
      gate.alone(work('d')),
      gate.together(work('e')),
    ]
    for (const name of ['b', 'a', 'c', 'd', 'e']) await end(name)
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(log).toEqual([
      ...['a begins', 'b begins', 'b ends', 'a ends'],
      ...['c begins', 'c ends', 'd begins', 'd ends', 'e begins', 'e ends'],
    ])
  })

  it('goes on after work that failed', async () => {
    const gate = createGate()
    const fail = async () => Promise.reject(new Error('failed'))
    await expect(gate.together(fail)).rejects.toThrow('failed')
    await expect(gate.alone(fail)).rejects.toThrow('failed')
    expect(await gate.alone(async () => 1)).toBe(1)
    expect(await gate.together(async () => 2)).toBe(2)
  })
})
