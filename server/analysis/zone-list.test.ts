import { expect, it } from 'vitest'
import { listZones } from './zone-list.ts'

const ahead = (at: string, name: string) => listZones(Date.parse(at)).find((zone) => zone.name === name)?.ahead

it('lists each zone once, with the minutes by which it is ahead at that moment', () => {
  const names = listZones(0).map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(names[0]).toBe('UTC')
  expect(ahead('2026-10-25T00:59:59Z', 'Europe/Berlin')).toBe(120)
  expect(ahead('2026-10-25T01:00:00Z', 'Europe/Berlin')).toBe(60)
})

it('is worked out once a quarter of an hour', () => {
  const quarter = Date.parse('2026-11-30T12:00:00Z')
  expect(listZones(quarter + 899_999)).toBe(listZones(quarter))
  expect(listZones(quarter + 900_000)).not.toBe(listZones(quarter + 899_999))
})
