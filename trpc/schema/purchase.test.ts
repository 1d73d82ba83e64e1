import { describe, expect, it } from 'vitest'
import { readPurchase } from './purchase.ts'

const order = { orderId: 'A-1', revenue: 19.99, currency: 'EUR' }
const read = (over: Record<string, unknown>) => readPurchase({ ...order, ...over })
const paths = ({ marks }: { marks: { path: string }[] }) => marks.map(({ path }) => path)

describe('a purchase', () => {
  it.each([
    [{}, []],
    [{ revenue: 0 }, []],
    [{ orderId: 4711 }, ['payload.orderId']],
    [{ revenue: '19.99' }, ['payload.revenue']],
    [{ revenue: ' 19.9900 ' }, ['payload.revenue']],
    [{ revenue: '20' }, ['payload.revenue']],
    [{ revenue: '0.999' }, ['payload.revenue']],
    [{ revenue: '5000.125' }, ['payload.revenue']],
    [{ revenue: '4.245', currency: 'KWD' }, ['payload.revenue']],
    [{ currency: 'eur' }, ['payload.currency']],
    [{ currency: ' EUR\n' }, ['payload.currency']],
    [{ items: 'none', tax: {}, shipping: [], discount: 'much', coupon: 7 }, []],
    [{ orderId: 1, revenue: '1', currency: 'jpy' }, ['payload.orderId', 'payload.revenue', 'payload.currency']],
  ])('is read with %o, and what was read otherwise than written is marked', (over, marked) => {
    const reading = read(over)
    expect(reading).toHaveProperty('purchase')
    expect(paths(reading)).toEqual(marked)
  })

  it.each([
    ['19.99', 'EUR', 1999],
    ['1.005', 'KWD', 1005],
    ['0.005', 'EUR', 1],
    ['5000.5', 'JPY', 5001],
    ['39000.12345', 'CLF', 390_001_235],
    ['100.50', 'HUF', 10_050],
    ['1000', 'RSD', 100_000],
  ])('of the text %s in %s is worth what the number is', (revenue, currency, gross) => {
    for (const said of [revenue, Number(revenue)])
      expect(read({ revenue: said, currency })).toMatchObject({ purchase: { currency, gross } })
  })

  it.each([
    ['no_amount', { revenue: undefined }],
    ['no_amount', { revenue: null }],
    ['no_amount', { revenue: ' ' }],
    ['odd_amount', { revenue: '19,99' }],
    ['odd_amount', { revenue: '4,245.42' }],
    ['odd_amount', { revenue: '4.245,42' }],
    ['odd_amount', { revenue: '4.245' }],
    ['odd_amount', { revenue: '1e3' }],
    ['odd_amount', { revenue: '+5' }],
    ['odd_amount', { revenue: '€5' }],
    ['odd_amount', { revenue: '٥' }],
    ['odd_amount', { revenue: '0x10' }],
    ['odd_amount', { revenue: { amount: 5 } }],
    ['odd_amount', { revenue: [5] }],
    ['odd_amount', { revenue: true }],
    ['negative_amount', { revenue: -0.01 }],
    ['negative_amount', { revenue: '-5' }],
    ['large_amount', { revenue: 1e10 + 1 }],
    ['large_amount', { revenue: '9'.repeat(40) }],
    ['large_amount', { revenue: 1e300 }],
    ['large_amount', { revenue: -1e300 }],
    ['no_order_id', { orderId: undefined }],
    ['no_order_id', { orderId: '  ' }],
    ['odd_order_id', { orderId: 1.5 }],
    ['odd_order_id', { orderId: 2 ** 53 }],
    ['odd_order_id', { orderId: { id: 1 } }],
    ['odd_order_id', { orderId: true }],
    ['odd_order_id', { orderId: 'A\0' }],
    ['odd_order_id', { orderId: 'x'.repeat(4097) }],
    ['no_currency', { currency: undefined }],
    ['no_currency', { currency: '' }],
    ['odd_currency', { currency: 'EURO' }],
    ['odd_currency', { currency: '€' }],
    ['odd_currency', { currency: 'XXX' }],
    ['odd_currency', { currency: 'ABC' }],
    ['odd_currency', { currency: 978 }],
    ['odd_currency', { currency: 'ıdr' }],
  ])('is set aside for %s with %o, and marked', (reason, over) => {
    const reading = read(over)
    expect(reading).toMatchObject({ aside: { reason } })
    expect(paths(reading)).toEqual([`payload.${Object.keys(over)[0]}`])
  })

  it('without anything is set aside once, with a mark for each', () => {
    expect(readPurchase(null)).toMatchObject({ aside: { reason: 'no_order_id', currency: '', gross: 0 } })
    expect(paths(readPurchase(null))).toEqual(['payload.orderId', 'payload.revenue', 'payload.currency'])
  })

  it('that is set aside says what it is worth where that can be read', () => {
    expect(read({ orderId: null })).toMatchObject({ aside: { currency: 'EUR', gross: 1999 } })
    expect(read({ revenue: -5 })).toMatchObject({ aside: { currency: 'EUR', gross: -500 } })
    expect(read({ revenue: '19,99' })).toMatchObject({ aside: { currency: 'EUR', gross: 0 } })
    expect(read({ currency: 'ABC' })).toMatchObject({ aside: { currency: '', gross: 0 } })
  })
})
