import { expect, it } from 'vitest'
import { readVeritas } from './veritas.ts'

const event = { type: 'page_view', userId: 'u1', sessionId: 's1', payload: { url: '/' } }
const read = (value: unknown) => readVeritas(Buffer.from(JSON.stringify(value)))

it.each([['12'], [12], [null], [{ id: 12 }], [[]], [['a', 'b']], [[{ lot: 12 }]]])(
  'reads an event that has a field batch of its own: %j',
  (batch) => {
    const one = { ...event, batch }
    expect(read(one)).toMatchObject({ events: [one], writeKey: null })
  },
)

it('reads a batch however much its envelope looks like an event', () => {
  expect(read({ ...event, batch: [event, event] }).events).toEqual([event, event])
  expect(read({ type: 'batch', batch: [1] }).events).toEqual([1])
})

it.each([{ batch: {} }, { type: 'batch', batch: 12 }])('refuses a batch that is no array: %j', (value) => {
  expect(() => read(value)).toThrow('batch must be an array')
})
