import type { AsideSum } from '../../trpc/schema/common.ts'
import { formatSum } from '../format/money.ts'
import { formatCount, plural, unknown } from '../format/number.ts'
import { Card } from '../parts/card.tsx'
import { Rows } from '../parts/rows.tsx'

const reasons: Readonly<Record<AsideSum['reason'], string>> = {
  no_order_id: 'No order ID',
  odd_order_id: 'An order ID that is no text or number',
  no_amount: 'No revenue',
  odd_amount: 'A revenue that is no plain amount, such as 19,99 or 4,245.42',
  negative_amount: 'A negative revenue',
  large_amount: 'A revenue larger than any order',
  no_currency: 'No currency',
  odd_currency: 'A currency that is no ISO 4217 code',
  other_amount: 'An order sent again with another amount',
  other_currency: 'An order sent again in another currency',
}

/** Purchases of the period that count toward no revenue, by reason. Renders nothing if there are none. */
export function SetAside({ aside, className }: { aside: readonly AsideSum[]; className: string }) {
  if (aside.length === 0) return null
  const purchases = aside.reduce((sum, each) => sum + each.purchases, 0)
  return (
    <Card
      title="Purchases Set Aside"
      note={`${plural(purchases, 'purchase')} of this period ${purchases === 1 ? 'is' : 'are'} stored and shown, and ${purchases === 1 ? 'counts' : 'count'} in no revenue: what may mean two things is not guessed at.`}
      className={className}
      flush
    >
      <Rows name="Reasons and amounts">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Why</th>
              <th scope="col" className="num">
                Purchases
              </th>
              <th scope="col" className="num">
                They say
              </th>
            </tr>
          </thead>
          <tbody>
            {aside.map(({ reason, currency, purchases: ofReason, gross, isMore }) => (
              <tr key={`${reason} ${currency}`}>
                <td>{reasons[reason]}</td>
                <td className="num">{formatCount(ofReason)}</td>
                <td className="num">
                  {currency === null || gross === 0 ? unknown : formatSum({ gross, currency, isMore })}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Rows>
    </Card>
  )
}
