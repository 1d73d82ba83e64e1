import { readFileSync } from 'node:fs'
import source from 'moment-timezone/data/packed/latest.json' with { type: 'json' }
import { expect, it } from 'vitest'
import { packClock, unpackClock } from '../../trpc/schema/clock.ts'
import { zoneRules } from './pack.ts'

it('gives the rules that the server has', () => {
  const kept = readFileSync(new URL('../../server/analysis/zone-rules.json', import.meta.url), 'utf8')
  expect(zoneRules(source)).toEqual(JSON.parse(kept))
})

it('packs a clock into a text and out of it again', () => {
  const clock = [
    { from: Number.NEGATIVE_INFINITY, offset: -12_600_000 },
    { from: -60_000, offset: 20_700_000 },
    { from: 1_774_746_000_000, offset: 0 },
  ]
  expect(unpackClock(packClock(clock))).toEqual(clock)
  expect(packClock([...clock, { from: 1_800_000_000_000, offset: 0 }])).toBe(packClock(clock))
})
