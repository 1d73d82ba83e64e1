import { describe, expect, it } from 'vitest'
import { eventTypeNames } from '../../trpc/schema/event-types.ts'
import { readEvent } from './validate.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const good = { userId: 'u1', sessionId: 's1', type: 'page_view', payload: { url: '/' } }

function refusal(raw: unknown) {
  const reading = readEvent(raw, NOW)
  return 'refusal' in reading ? reading.refusal : null
}

/** A good payload of some types, and the fields that it may go without. */
const optional = {
  session_start: { payload: {}, names: ['deviceType', 'browser', 'os', 'screenResolution', 'timezone', 'language'] },
  page_view: { payload: { url: '/' }, names: ['title', 'referrer'] },
  search: { payload: { query: 'q' }, names: ['resultsCount', 'filters'] },
  purchase: {
    payload: { orderId: 'o1', revenue: 1, currency: 'EUR', items: [] },
    names: ['coupon', 'tax', 'shipping', 'discount'],
  },
  add_to_cart: { payload: { productId: 'p', name: 'n', price: 1, quantity: 1 }, names: ['currency'] },
  button_click: { payload: {}, names: ['buttonId', 'buttonText', 'elementClass', 'targetUrl'] },
  form_submit: { payload: { formId: 'f' }, names: ['formName', 'fields'] },
  video_play: { payload: { videoId: 'v' }, names: ['videoTitle', 'duration', 'currentTime'] },
  video_pause: { payload: { videoId: 'v', currentTime: 0 }, names: ['percentWatched'] },
}

describe('readEvent', () => {
  it('takes an event and leaves id and time to the server where they are absent', () => {
    expect(readEvent(good, NOW)).toEqual({ event: { ...good, eventId: null, occurredAt: null, issues: null } })
  })

  it.each(['2026-11-23T11:00:00Z', '2026-11-23T12:00:00+01:00', Date.UTC(2026, 10, 23, 11)])(
    'reads the time %s',
    (occurredAt) => {
      const reading = readEvent({ ...good, occurredAt }, NOW)
      expect('event' in reading && reading.event.occurredAt).toBe(Date.UTC(2026, 10, 23, 11))
    },
  )

  it('trims the event id and keeps the client’s own', () => {
    const reading = readEvent({ ...good, eventId: ' a-1 ' }, NOW)
    expect('event' in reading && reading.event.eventId).toBe('a-1')
  })

  it('lets an anonymousId stand for a missing userId', () => {
    const { userId: _, ...rest } = good
    const reading = readEvent({ ...rest, anonymousId: 'anon-7' }, NOW)
    expect('event' in reading && reading.event.userId).toBe('anon-7')
  })

  it.each([[null], [3], ['x'], [true], [[]], [[good]]])('refuses %j, which is no object', (raw) => {
    expect(refusal(raw)).toMatchObject({ code: 'not_an_object' })
  })

  it.each(['userId', 'sessionId', 'type'])('names a missing %s', (field) => {
    const { [field as 'type']: _, ...rest } = good
    expect(refusal(rest)).toMatchObject({ code: 'missing_field', path: field })
  })

  it.each(['0', 'null', 'UNDEFINED', ' nan ', '[object Object]', 'guest', '00000000-0000-0000-0000-000000000000'])(
    'refuses the placeholder identity %j',
    (userId) => expect(refusal({ ...good, userId })).toMatchObject({ code: 'invalid_field', path: 'userId' }),
  )

  it.each([0, 1, 1_795_000_000, 99_999_999_999])(
    'takes %d for seconds and says that milliseconds are meant',
    (seconds) => {
      expect(refusal({ ...good, occurredAt: seconds })).toMatchObject({
        code: 'invalid_field',
        path: 'occurredAt',
        details: expect.stringContaining('milliseconds'),
      })
      expect(refusal({ ...good, occurredAt: seconds })?.details).toContain('multiply it by 1000')
    },
  )

  it('takes the first number that can be milliseconds, and the years before it as text', () => {
    expect(refusal({ ...good, occurredAt: 1e11 })).toBeNull()
    expect(refusal({ ...good, occurredAt: '1970-01-01T00:00:01Z' })).toBeNull()
  })

  it.each(['', '  ', null])('takes the event id %j for none', (eventId) => {
    const reading = readEvent({ ...good, eventId }, NOW)
    expect('event' in reading && reading.event.eventId).toBeNull()
  })

  it('refuses a type the catalogue does not have', () => {
    expect(refusal({ ...good, type: 'toString' })).toMatchObject({ code: 'unknown_type', path: 'type' })
  })

  it('refuses a time more than 24 hours ahead and takes one just below', () => {
    const day = 24 * 3_600_000
    expect(refusal({ ...good, occurredAt: NOW + day + 1 })).toMatchObject({ code: 'future' })
    expect(refusal({ ...good, occurredAt: NOW + day })).toBeNull()
  })

  it.each([-1, 1.5, 'yesterday', '2026-11-23', '2026-02-30T00:00:00Z', Number.MAX_SAFE_INTEGER, {}])(
    'refuses the time %j',
    (occurredAt) => expect(refusal({ ...good, occurredAt })).toMatchObject({ path: 'occurredAt' }),
  )

  it.each([
    ['a key with NUL', { 'a\0b': 1 }],
    ['_bsontype', { a: { _bsontype: 'ObjectId' } }],
    ['__proto__', JSON.parse('{"__proto__":{"admin":true}}')],
    ['a number out of range', JSON.parse('{"a":1e999}')],
    ['half a surrogate pair', { a: ['\ud800'] }],
  ])('refuses a payload with %s', (_name, payload) => {
    expect(refusal({ ...good, payload })).toMatchObject({ code: 'invalid_payload' })
  })

  it('refuses ids with NUL or half a surrogate pair', () => {
    expect(refusal({ ...good, userId: 'a\0b' })).toMatchObject({ path: 'userId' })
    expect(refusal({ ...good, sessionId: 'a\ud800' })).toMatchObject({ path: 'sessionId' })
  })

  it('keeps a payload that breaks the catalogue and says where', () => {
    const reading = readEvent(
      { ...good, type: 'purchase', payload: { orderId: 'o1', revenue: -1, currency: 'euro', items: [] } },
      NOW,
    )
    expect('event' in reading && reading.event.issues?.map((issue) => issue.path)).toEqual([
      'payload.revenue',
      'payload.currency',
    ])
  })

  const order = { orderId: 'o1', revenue: 1, currency: 'EUR', items: [] }
  const issuesOf = (type: string, payload: object) => {
    const reading = readEvent({ ...good, type, payload }, NOW)
    return 'event' in reading ? (reading.event.issues?.map(({ path }) => path) ?? []) : null
  }

  it.each([
    [{ revenue: 10_000_000_000 }, []],
    [{ revenue: 10_000_000_000.01 }, ['payload.revenue']],
    [{ revenue: 1e12, currency: 'JPY' }, []],
    [{ revenue: 1e12 + 1, currency: 'JPY' }, ['payload.revenue']],
    [{ revenue: 1e9, currency: 'KWD' }, []],
    [{ revenue: 1e9 + 1, currency: 'KWD' }, ['payload.revenue']],
    [{ revenue: 1e308 }, ['payload.revenue']],
    [{ orderId: 'o\0' }, ['payload.orderId']],
  ])('marks a purchase that no figure can count: %j', (over, paths) => {
    expect(issuesOf('purchase', { ...order, ...over })).toEqual(paths)
  })

  it.each(Object.entries(optional))(
    'takes null for an optional field of %s as not given',
    (type, { payload, names }) => {
      for (const name of names) expect(issuesOf(type, { ...payload, [name]: null })).toEqual([])
    },
  )

  it.each(['orderId', 'revenue', 'currency', 'items'])('takes no null for the required %s', (name) => {
    expect(issuesOf('purchase', { ...order, [name]: null })).toEqual([`payload.${name}`])
  })

  it('keeps properties that the catalogue does not know', () => {
    const payload = { url: '/', $set: 1, 'a.b': 2, nested: { deep: [1] } }
    const reading = readEvent({ ...good, payload }, NOW)
    expect('event' in reading && reading.event).toMatchObject({ payload, issues: null })
  })

  it('knows the ten types of the first Veritas', () => {
    expect(eventTypeNames).toEqual(
      expect.arrayContaining(
        'session_start page_view search purchase add_to_cart remove_from_cart button_click form_submit video_play video_pause'.split(
          ' ',
        ),
      ),
    )
  })
})
