import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeEventId, encodeEventId } from './event-id.ts'

it('gives every id back as it was', () => {
  const id = fc.oneof(
    fc.uuid(),
    fc.uuid().map((uuid) => uuid.toUpperCase()),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(id, (text) => {
      expect(decodeEventId(encodeEventId(text))).toBe(text)
    }),
  )
})

it('keeps a canonical UUID, and nothing else, as 16 bytes', () => {
  const uuid = '0190b3c4-77aa-7000-8000-00000000abcd'
  expect(encodeEventId(uuid)).toHaveLength(16)
  for (const other of [uuid.toUpperCase(), uuid.replaceAll('-', ''), `${uuid.slice(0, -1)}g`, `${uuid}\n`, `{${uuid}}`])
    expect(encodeEventId(other)).toBe(other)
})
