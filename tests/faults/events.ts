import type { Random } from '../../server/demo/random.ts'

/** An event as posted by a storefront. A mark in its payload identifies it, even if the server creates its id. */
export interface PostedEvent {
  eventId?: string
  userId: string
  sessionId: string
  type: string
  payload: Record<string, unknown>
  occurredAt: string | number
}

const MINUTE_MS = 60_000
const DAYS = 3
const USERS = 150
const texts = [
  'wool socks',
  'Größe 42',
  '靴',
  '👢🏔️',
  'a "quoted" \\ name',
  '\u0000 and \u2028',
  '<script>',
  '{"$ne":1}',
  ' ',
]

/** Makes events of several types and days, with unusual texts, repeated orders and a few invalid payloads. */
export function createEventMaker(random: Random, prefix: string): (withId: boolean) => PostedEvent {
  const now = Date.now()
  let made = 0

  function payload(mark: string): { type: string; payload: Record<string, unknown> } {
    const text = random.pick(texts)
    const kind = random.int(10)
    if (kind < 5) return { type: 'page_view', payload: { mark, url: `/p/${random.int(500)}?q=${text}`, title: text } }
    if (kind < 6)
      return { type: 'search', payload: { mark, query: text, filters: { deep: [{ er: [null, 0.1, text] }] } } }
    if (kind < 7) return { type: 'button_click', payload: { mark, buttonText: text, $set: { 'a.b': 1 } } }
    if (kind < 8)
      return { type: 'add_to_cart', payload: { mark, productId: text, name: text, price: 9.99, quantity: 2 } }
    const order = {
      mark,
      orderId: `${prefix}-order-${random.int(4000)}`,
      revenue: random.int(50_000) / 100,
      currency: 'EUR',
    }
    const items = [{ productId: 'p', name: text, quantity: 1, price: 1.5 }]
    // A purchase without items is stored with an issue, and is not an order.
    return { type: 'purchase', payload: random.chance(0.2) ? order : { ...order, items } }
  }

  return (withId) => {
    const mark = `${prefix}-${made++}`
    const instant = now - random.int(DAYS * 24 * 60) * MINUTE_MS
    return {
      ...(withId && { eventId: random.chance(0.5) ? mark : `${prefix} ${random.hex(32)}` }),
      userId: `user-${random.int(USERS)}`,
      sessionId: `session-${random.int(6)}`,
      occurredAt: random.chance(0.5) ? instant : new Date(instant).toISOString(),
      ...payload(mark),
    }
  }
}
