import { describe, expect, it } from 'vitest'
import { eventTypeNames } from '../../trpc/schema/event-types.ts'
import { fieldsNotKept, readEvent } from './validate.ts'

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
    expect(readEvent(good, NOW)).toEqual({
      event: { ...good, eventId: null, occurredAt: null, issues: null, isMendedOnly: false },
    })
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

  it('tells all fields that are missing or wrong together, by the first of them', () => {
    expect(refusal({ payload: {} })).toEqual({
      code: 'missing_field',
      path: 'userId',
      details: 'userId is missing. sessionId is missing. type is missing.',
    })
    const details = refusal({ ...good, sessionId: null, type: 'nothing', occurredAt: {} })?.details
    expect(details).toMatch(/^sessionId is missing\. type “nothing” is not .* occurredAt: /)
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
    ['__proto__ beside what can be mended', JSON.parse('{"a":"\\ud800","b":[{"__proto__":1}]}')],
  ])('refuses a payload with %s', (_name, payload) => {
    expect(refusal({ ...good, payload })).toMatchObject({ code: 'invalid_payload' })
  })

  const eventOf = (raw: object, isUtf8 = true) => {
    const reading = readEvent({ ...good, ...raw }, NOW, isUtf8)
    return 'event' in reading ? reading.event : null
  }

  it.each<[string, string, unknown, string]>([
    ['half a surrogate pair', '{"a":["\\ud800x"]}', { a: ['\ufffdx'] }, 'payload.a[0]'],
    ['half of one in a name', '{"\\udc00":1}', { '\ufffd': 1 }, 'payload: a key'],
    ['a number that is too large', '{"a":{"b":1e400}}', { a: { b: null } }, 'payload.a.b'],
    ['digits beyond 2^53', '{"a":9007199254740993}', { a: 9007199254740992 }, 'payload.a'],
    ['-0', '{"a":-0.0}', { a: 0 }, 'payload.a'],
  ])('mends %s and marks it', (_name, sent, kept, path) => {
    const event = eventOf({ payload: { url: '/', ...JSON.parse(sent) } })
    expect(event?.payload).toStrictEqual({ url: '/', ...(kept as object) })
    expect(JSON.stringify(event?.payload)).not.toContain('-0')
    expect(event?.issues).toEqual([{ path, message: expect.any(String) }])
    expect(event?.isMendedOnly).toBe(true)
  })

  it('leaves numbers alone that come back as they were', () => {
    const payload = { url: '/', numbers: [0, 9007199254740991, -9007199254740991, 0.1, 1e-300, 5e-324] }
    expect(eventOf({ payload })).toMatchObject({ payload, issues: null, isMendedOnly: false })
  })

  it('marks ten of the values that were mended and counts the others, beside what does not fit the type', () => {
    const event = eventOf({ payload: { list: Array.from({ length: 5000 }, () => -0) } })
    expect(event?.issues).toHaveLength(11)
    expect(event?.issues?.[0]?.path).toBe('payload.url')
    expect(event?.issues?.at(-1)?.message).toBe('and 4991 more')
    expect(event?.isMendedOnly).toBe(false)
  })

  it('marks U+FFFD only where the bytes of the request were not UTF-8, and takes it in no id', () => {
    const payload = { url: '/caf\ufffd', title: 'x' }
    expect(eventOf({ payload })).toMatchObject({ issues: null })
    expect(eventOf({ payload }, false)).toMatchObject({ payload, issues: [{ path: 'payload.url' }] })
    expect(eventOf({}, false)).toMatchObject({ issues: null })
    expect(readEvent({ ...good, userId: 'J\ufffdrgen' }, NOW, false)).toMatchObject({ refusal: { path: 'userId' } })
  })

  it('reads whole numbers as ids, and no others', () => {
    expect(eventOf({ userId: 42, sessionId: 7, eventId: 9007199254740991 })).toMatchObject({
      userId: '42',
      sessionId: '7',
      eventId: '9007199254740991',
    })
    for (const userId of [1.5, 2 ** 53, true, {}, [1]])
      expect(refusal({ ...good, userId })).toMatchObject({ path: 'userId' })
    expect(refusal({ ...good, userId: 0 })).toMatchObject({ details: expect.stringContaining('placeholder') })
  })

  it.each(['0', 'null', ' Undefined ', '', null, 0, false])(
    'takes a good anonymousId beside the userId %j',
    (userId) => {
      expect(eventOf({ userId, anonymousId: 'anon-7' })?.userId).toBe('anon-7')
      expect(eventOf({ userId, anonymousId: 7 })?.userId).toBe('7')
      expect(fieldsNotKept({ ...good, userId, anonymousId: 'anon-7' })).toEqual([])
      expect(refusal({ ...good, userId, anonymousId: 'null' })).toMatchObject({ path: 'userId' })
    },
  )

  it('takes a UUID in capitals for the one in small letters, and no other id', () => {
    const id = '0190B3C4-AAAA-7000-8000-00000000000F'
    expect(eventOf({ eventId: id })?.eventId).toBe(id.toLowerCase())
    expect(eventOf({ eventId: 'ORDER-17' })?.eventId).toBe('ORDER-17')
  })

  it('names what is not kept', () => {
    const raw = {
      ...good,
      anonymousId: 'a',
      context: {},
      timestamp: 1,
      writeKey: 'pk',
      occurredAt: null,
      nothing: null,
    }
    expect(fieldsNotKept(raw)).toEqual(['anonymousId', 'context', 'timestamp'])
    expect(fieldsNotKept({ ...good, eventId: 'e' })).toEqual([])
    expect(fieldsNotKept('no event')).toEqual([])
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
    expect([...new Set(issuesOf('purchase', { ...order, ...over }))]).toEqual(paths)
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
