import { describe, expect, it } from 'vitest'
import { createTurns } from './frame.ts'
import { createKeyUses } from './key-uses.ts'

const turns = createTurns(1000)
const a = { type: 'page_view', userId: 'a' }
const b = { type: 'page_view', userId: 'b' }

describe('uses of an Idempotency-Key', () => {
  it('may be repeated with the same events', async () => {
    const uses = createKeyUses()
    await uses.claim('site', 'key', [a, b], turns)
    await uses.claim('site', 'key', [{ ...a }, { ...b }], turns)
  })

  it.each([
    ['another event', [b, b]],
    ['fewer events', [a]],
    ['more events', [a, b, a]],
    ['another order', [b, a]],
  ])('are refused with %s', async (_name, events) => {
    const uses = createKeyUses()
    await uses.claim('site', 'key', [a, b], turns)
    await expect(uses.claim('site', 'key', events, turns)).rejects.toMatchObject({
      code: 'invalid_input',
      field: 'Idempotency-Key',
    })
    await uses.claim('site', 'key', [a, b], turns)
  })

  it('are apart for every key and site', async () => {
    const uses = createKeyUses()
    await uses.claim('site', 'key', [a], turns)
    await uses.claim('site', 'other', [b], turns)
    await uses.claim('another', 'key', [b], turns)
  })

  it('are forgotten beyond a bound, those last used last', async () => {
    const uses = createKeyUses(2)
    await uses.claim('site', '1', [a], turns)
    await uses.claim('site', '2', [a], turns)
    await uses.claim('site', '1', [a], turns)
    await uses.claim('site', '3', [a], turns)
    await expect(uses.claim('site', '1', [b], turns)).rejects.toMatchObject({ code: 'invalid_input' })
    await uses.claim('site', '2', [b], turns)
  })
})
