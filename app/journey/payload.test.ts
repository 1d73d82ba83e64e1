import { describe, expect, it } from 'vitest'
import { detailOf, factsOf, labelOf, moneyText, orderOf, shortened } from './payload.ts'

describe('labels', () => {
  it.each([
    ['resultsCount', 'Results count'],
    ['url', 'URL'],
    ['productId', 'Product ID'],
    ['utm_source', 'Utm source'],
    ['os', 'OS'],
  ])('%s is "%s"', (name, label) => {
    expect(labelOf(name)).toBe(label)
  })
})

describe('facts', () => {
  it('tell nested values by the way to them', () => {
    expect(factsOf({ filters: { brand: ['Fjell', 'Norse'], price: { min: 20 } }, consent: true })).toEqual([
      { label: 'Filters › brand', value: 'Fjell, Norse' },
      { label: 'Filters › price › min', value: '20' },
      { label: 'Consent', value: 'yes' },
    ])
  })

  it('write money where the payload names a currency', () => {
    expect(factsOf({ price: 59.4, quantity: 2, currency: 'EUR' }, new Set(['currency']))).toEqual([
      { label: 'Price', value: '€59.40' },
      { label: 'Quantity', value: '2' },
    ])
    expect(factsOf({ price: 59.4 })).toEqual([{ label: 'Price', value: '59.4' }])
  })

  it('show nothing as nothing and end at deep nesting', () => {
    expect(factsOf({ a: null, b: '', c: [], d: {} }).map((fact) => fact.value)).toEqual(['–', '–', 'none', 'none'])
    const deep = { a: { b: { c: { d: { e: { f: 1 } } } } } }
    expect(factsOf(deep)).toEqual([{ label: 'A › b › c › d', value: '{"e":{"f":1}}' }])
  })

  it('list objects one by one', () => {
    expect(factsOf({ items: [{ name: 'a' }, { name: 'b' }] })).toEqual([
      { label: 'Items 1 › name', value: 'a' },
      { label: 'Items 2 › name', value: 'b' },
    ])
  })
})

describe('facts of any size', () => {
  it('are cut: the JSON has the whole', () => {
    const [fact] = factsOf({ ['n'.repeat(3000)]: 'v'.repeat(30_000) })
    expect(fact?.label).toBe(`N${'n'.repeat(59)}…`)
    expect(fact?.value).toBe(`${'v'.repeat(500)}…`)
  })

  it('are cut between characters and not inside one', () => {
    expect(shortened('😀'.repeat(501))).toBe(`${'😀'.repeat(500)}…`)
    expect(shortened('😀'.repeat(500))).toBe('😀'.repeat(500))
  })

  it('are no endless list', () => {
    const many = Object.fromEntries(Array.from({ length: 1050 }, (_, index) => [`p${index}`, index]))
    const facts = factsOf(many)
    expect(facts).toHaveLength(51)
    expect(facts.at(-1)).toEqual({ label: 'And', value: '1,000 more values in the JSON' })
  })
})

describe('details behind a subject', () => {
  it('say how many at which price, and what a search found', () => {
    expect(detailOf('add_to_cart', { price: 59.4, quantity: 1, currency: 'EUR' })?.text).toBe('1 × €59.40')
    expect(detailOf('search', { resultsCount: 38 })).toMatchObject({ text: '38 results', isPoor: false })
    expect(detailOf('search', { resultsCount: 0 })).toMatchObject({ text: 'No result', isPoor: true })
    expect(detailOf('page_view', { url: '/' })).toBeNull()
  })
})

describe('orders', () => {
  const purchase = {
    orderId: 'NL-1',
    revenue: 389.8,
    currency: 'EUR',
    items: [{ productId: 'T', name: 'Tent', quantity: 1, price: 349.9 }],
    discount: 19.5,
    coupon: 'HERBST10',
  }

  it('have a total, items and what changed the total', () => {
    expect(orderOf(purchase)).toEqual({
      id: 'NL-1',
      total: '€389.80',
      items: [{ name: 'Tent', productId: 'T', quantity: '1', price: '€349.90' }],
      extras: [
        { label: 'Discount', value: '−€19.50' },
        { label: 'Coupon', value: 'HERBST10' },
      ],
    })
  })

  it.each([
    { ...purchase, revenue: 'many' },
    { ...purchase, items: undefined },
    { ...purchase, items: ['tent'] },
    { ...purchase, currency: 7 },
    {},
  ])('are not drawn from a payload that is none: %j', (payload) => {
    expect(orderOf(payload)).toBeNull()
  })

  it('write sums of currencies apart', () => {
    expect(
      moneyText([
        { currency: 'EUR', gross: 12000 },
        { currency: 'USD', gross: 3000 },
      ]),
    ).toBe('€120.00 + $30.00')
  })
})
