import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { eventInput, eventLimits } from '../../trpc/schema/event.ts'
import { type EventType, eventTypeNames, eventTypes } from '../../trpc/schema/event-types.ts'
import { readPurchase } from '../../trpc/schema/purchase.ts'
import { purchaseOf } from '../store/purchase.ts'
import { readPlainEnvelope } from './envelope-guard.ts'
import { payloadIssues, soundPayload } from './payload.ts'
import { compileGuard } from './payload-guard.ts'

const runs = 3000

/** Values near every bound of the catalogue, and some of every kind of nonsense. */
const value = fc.oneof(
  fc.constantFrom(
    undefined,
    null,
    true,
    false,
    0,
    -0,
    -1,
    1,
    0.5,
    100,
    100.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e308,
    1e9,
    10_000_000_000,
    10_000_000_000.01,
    1e12,
    1e12 + 1,
  ),
  fc.constantFrom(
    '',
    ' ',
    'a',
    'EUR',
    'eur',
    'EURO',
    'x'.repeat(4096),
    'x'.repeat(4097),
    'ü',
    '\0',
    '\ud800',
    'JPY',
    'KWD',
  ),
  fc.string(),
  fc.double(),
  fc.constantFrom({}, [], [{}], [null], { a: 1 }),
  fc.array(
    fc.record(
      {
        productId: fc.constantFrom('p', '', 1),
        name: fc.constantFrom('n', 2),
        quantity: fc.constantFrom(1, 0, -1),
        price: fc.constantFrom(0, -1, 'x'),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
    { maxLength: 5 },
  ),
)

/** Payloads with the catalogue's own field names, so that the rules are reached at all. */
function payloadOf(type: EventType): fc.Arbitrary<unknown> {
  const names = Object.keys(eventTypes[type].payload.shape)
  const right = fc.constant(samples[type])
  const mixed = fc.record(Object.fromEntries(names.map((name) => [name, value])), {
    requiredKeys: [],
    noNullPrototype: true,
  })
  const oneOff = fc
    .tuple(fc.constantFrom(...names), value)
    .map(([name, wrong]) => ({ ...samples[type], [name]: wrong }))
  return fc.oneof(right, oneOff, oneOff, mixed, value, fc.dictionary(fc.string(), value, { noNullPrototype: true }))
}

const samples: Record<EventType, Record<string, unknown>> = {
  session_start: {
    deviceType: 'phone',
    browser: 'Safari',
    os: 'iOS',
    screenResolution: '390x844',
    timezone: 'Europe/Berlin',
    language: 'de',
  },
  page_view: { url: '/', title: 'Home', referrer: 'https://x.example' },
  search: { query: 'tent', resultsCount: 3, filters: { colour: 'green' } },
  purchase: {
    orderId: 'o',
    revenue: 1,
    currency: 'EUR',
    items: [{ productId: 'p', name: 'n', quantity: 1, price: 1 }],
    coupon: 'c',
    tax: 0,
    shipping: 0,
    discount: 0,
  },
  add_to_cart: { productId: 'p', name: 'n', price: 0, quantity: 1, currency: 'EUR' },
  remove_from_cart: { productId: 'p', quantity: 1 },
  button_click: { buttonId: 'b', buttonText: 't', elementClass: 'c', targetUrl: '/' },
  form_submit: { formId: 'f', formName: 'n', fields: { a: 1 } },
  video_play: { videoId: 'v', videoTitle: 't', duration: 1, currentTime: 0 },
  video_pause: { videoId: 'v', currentTime: 0, percentWatched: 100 },
}

describe('payload guard', () => {
  it.each(eventTypeNames)('accepts of %s exactly what the catalogue accepts', (type) => {
    const schema = eventTypes[type].payload
    const accepts = compileGuard(schema)
    expect(accepts(samples[type])).toBe(true)
    fc.assert(
      fc.property(payloadOf(type), (payload) => {
        expect(accepts(payload)).toBe(schema.safeParse(payload).success)
      }),
      { numRuns: runs },
    )
  })

  it('asks the schema where it does not know a rule', () => {
    const even = z
      .object({ n: z.number().refine((n) => n % 2 === 0), mail: z.email().optional(), kind: z.enum(['a']).nullish() })
      .loose()
    const accepts = compileGuard(even)
    expect(accepts({ n: 2, mail: 'a@b.example', kind: null })).toBe(true)
    expect(accepts({ n: 3 })).toBe(false)
    expect(accepts({ n: 2, mail: 'x' })).toBe(false)
    expect(accepts({ n: 2, kind: 'b' })).toBe(false)
  })

  it('keeps to strict objects', () => {
    expect(compileGuard(z.strictObject({ a: z.string() }))({ a: 'x', b: 1 })).toBe(false)
  })
})

const id = fc.oneof(
  fc.string(),
  fc.constantFrom(
    undefined,
    null,
    7,
    '',
    ' ',
    'u1',
    ' u1',
    'x'.repeat(128),
    'x'.repeat(129),
    'x'.repeat(256),
    'x'.repeat(257),
  ),
  fc.constantFrom(
    'null',
    'GUEST',
    '0',
    'None',
    '[object Object]',
    '00000000-0000-0000-0000-000000000000',
    'ü',
    'a\0',
    '\ud800',
  ),
)
const time = fc.oneof(
  fc.constantFrom(
    undefined,
    null,
    0,
    -1,
    1.5,
    8.64e15,
    8.64e15 + 1,
    1,
    1_795_000_000,
    1e11 - 1,
    1e11,
    '',
    '2026-11-22T14:32:08Z',
    '2026-11-22T14:32:08.123Z',
    '2026-11-22T14:32:08+01:00',
  ),
  fc.constantFrom(
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01t00:00:00z',
    '2026-1-01T00:00:000Z',
  ),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc
    .tuple(
      fc.constantFrom('2026-11-22T14:32:08.123Z', '2026-11-22T14:32:08Z'),
      fc.nat(23),
      fc.constantFrom(...'0129-:.TZ +x'),
    )
    .map(([text, at, char]) => text.slice(0, at) + char + text.slice(at + 1)),
)
const envelope = fc.oneof(
  fc.record(
    {
      eventId: id,
      userId: id,
      sessionId: id,
      type: fc.constantFrom('page_view', 'purchase', 'toString', '__proto__', '', 3),
      payload: value,
      occurredAt: time,
    },
    { requiredKeys: [], noNullPrototype: true },
  ),
  fc.record(
    {
      userId: fc.constant('u1'),
      sessionId: fc.constant('s1'),
      type: fc.constant('page_view'),
      occurredAt: time,
      eventId: id,
    },
    { requiredKeys: ['userId', 'sessionId', 'type'], noNullPrototype: true },
  ),
)

/** What decides whether a purchase counts is read by readPurchase, in its own words. */
const readElsewhere: ReadonlySet<string> = new Set(['orderId', 'revenue', 'currency'])
const issuesAreToldOf = (payload: object) => !eventTypes.purchase.payload.safeParse(payload).success

describe('issues of a payload', () => {
  it.each(eventTypeNames)('of %s are those of the schema, in its words, as far as they are listed', (type) => {
    const schema = eventTypes[type].payload
    fc.assert(
      fc.property(payloadOf(type), (payload) => {
        if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return
        // What the schema says of an order as a whole it keeps to itself where an item is wrong.
        const told = [payload, { ...payload, ...('items' in payload && Array.isArray(payload.items) && { items: [] }) }]
        const all = new Set(
          told.flatMap((each) =>
            (schema.safeParse(each).error?.issues ?? [])
              .filter(({ path }) => type !== 'purchase' || !readElsewhere.has(String(path[0])))
              .map(({ path, message }) => `${['payload', ...path].join('.')} ${message}`),
          ),
        )
        if (type === 'purchase' && issuesAreToldOf(payload))
          for (const { path, message } of readPurchase(payload as Record<string, unknown>).marks)
            all.add(`${path} ${message}`)
        const issues = payloadIssues(type, payload as Record<string, unknown>) ?? []
        const listed = issues.slice(0, eventLimits.issues)
        for (const { path, message } of listed) expect(all).toContain(`${path} ${message}`)
        expect(listed).toHaveLength(Math.min(all.size, eventLimits.issues))
        const rest = all.size > listed.length ? [`and ${all.size - listed.length} more`] : []
        expect(issues.slice(eventLimits.issues).map(({ message }) => message)).toEqual(rest)
      }),
      { numRuns: runs },
    )
  })

  it('are few and short, however many things are wrong', () => {
    const payload = { orderId: 'o1', revenue: 5, currency: 'EUR', items: Array.from({ length: 10_800 }, () => ({})) }
    const issues = payloadIssues('purchase', payload)
    expect(issues).toHaveLength(eventLimits.issues + 1)
    expect(issues?.at(-1)).toEqual({ path: 'payload', message: 'and 43190 more' })
    expect(JSON.stringify(issues).length).toBeLessThan(2048)
  })

  it('of an order as a whole are told beside a long list of them', () => {
    const items = Array.from({ length: 20 }, () => ({}))
    const issues = payloadIssues('purchase', { orderId: 'a\0', revenue: 1e15, currency: 'EUR', items })
    expect(issues?.map(({ path }) => path)).toEqual(expect.arrayContaining(['payload.orderId']))
    expect(issues?.at(-1)).toEqual({ path: 'payload', message: 'and 72 more' })
  })
})

function isSound(payload: Record<string, unknown> | null): boolean {
  const sound = soundPayload(payload, true)
  return !('fault' in sound) && sound.marks === null
}

describe('the catalogue and the figures', () => {
  it('leave no purchase out of money that is not marked', () => {
    let counted = 0
    fc.assert(
      fc.property(payloadOf('purchase'), (payload) => {
        const stored = JSON.parse(JSON.stringify(payload ?? null)) as Record<string, unknown> | null
        if (typeof stored !== 'object' || Array.isArray(stored) || !isSound(stored)) return
        if (payloadIssues('purchase', stored)) return
        counted++
        expect(purchaseOf({ type: 'purchase', payload: stored })).toHaveProperty('purchase')
      }),
      { numRuns: runs },
    )
    expect(counted).toBeGreaterThan(runs / 10)
  })
})

describe('envelope guard', () => {
  it('accepts nothing that the schema refuses, and reads the same from it', () => {
    fc.assert(
      fc.property(envelope, (raw) => {
        const plain = readPlainEnvelope(raw)
        if (plain) expect(eventInput.parse(raw)).toEqual(plain)
      }),
      { numRuns: runs * 5 },
    )
  })

  it('takes the usual event without asking the schema', () => {
    const usual = {
      eventId: 'e-1',
      userId: 'u1',
      sessionId: 's1',
      type: 'page_view',
      payload: {},
      occurredAt: '2026-11-22T14:32:08.123Z',
    }
    expect(readPlainEnvelope(usual)).toBe(usual)
    expect(readPlainEnvelope({ ...usual, occurredAt: 1_795_000_000_000, eventId: undefined })).not.toBeNull()
    for (const day of ['2026-01-31', '2026-02-28', '2026-11-30', '2026-12-31'])
      expect(readPlainEnvelope({ ...usual, occurredAt: `${day}T23:59:59Z` })).not.toBeNull()
    for (const day of ['2026-02-29', '2026-11-31', '2026-04-31', '2026-00-10', '2026-13-01'])
      expect(readPlainEnvelope({ ...usual, occurredAt: `${day}T00:00:00Z` })).toBeNull()
  })
})
