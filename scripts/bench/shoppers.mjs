/** Generates events as JSON text; fast, since it builds no objects. */
import { randomUUID } from 'node:crypto'

/**
 * Kinds of load. page: small page views with sequential ids. shop: 500 concurrent visits by 5,000 users, with random
 * (v4) ids. wide: 20,000 concurrent visits by 200,000 users, so that almost every event of a batch has another user.
 */
const crowds = { shop: { visits: 500, users: 5000 }, wide: { visits: 20_000, users: 200_000 } }
const EVENTS_PER_VISIT = 12

/** Returns a function that returns the next event as JSON. `kind` is page, shop or wide. */
export function createShoppers(kind, run) {
  let made = 0
  if (kind === 'page')
    return () => {
      const i = made++
      return `{"eventId":"${run}-${i}","userId":"user_${i % 5000}","sessionId":"s_${i % 20_000}","type":"page_view","payload":{"url":"https://www.nordlicht.example/p/${i % 40}","title":"Fjell 2 tent"}}`
    }
  const { visits, users } = crowds[kind]
  let sessions = 0
  const arrive = () => ({
    userId: `user_${Math.floor(Math.random() * users)}`,
    sessionId: `${run}-${sessions++}`,
    left: 1 + Math.floor(Math.random() * 2 * EVENTS_PER_VISIT),
  })
  const visitors = Array.from({ length: visits }, arrive)
  return () => {
    const place = Math.floor(Math.random() * visits)
    const visitor = visitors[place]
    if (--visitor.left <= 0) visitors[place] = arrive()
    const id = randomUUID()
    made++
    return `{"eventId":"${id}","userId":"${visitor.userId}","sessionId":"${visitor.sessionId}","occurredAt":${Date.now()},${act(made)}}`
  }
}

function act(i) {
  const product = i % 400
  const share = i % 25
  if (share === 0)
    return `"type":"purchase","payload":{"orderId":"o-${i}-${product}","revenue":129.9,"currency":"EUR","items":[{"productId":"p-${product}","name":"Fjell 2 tent","quantity":1,"price":129.9}],"shipping":4.9,"coupon":"SUMMER"}`
  if (share < 4)
    return `"type":"add_to_cart","payload":{"productId":"p-${product}","name":"Fjell 2 tent","price":129.9,"quantity":1,"currency":"EUR"}`
  if (share < 6) return `"type":"search","payload":{"query":"tent for ${product % 7} people","resultsCount":${product}}`
  if (share < 9)
    return `"type":"button_click","payload":{"buttonId":"b-${product % 30}","buttonText":"Add to basket","targetUrl":"/p/${product}"}`
  return `"type":"page_view","payload":{"url":"https://www.nordlicht.example/tents/p/${product}?from=list&page=${i % 9}","title":"Fjell 2 tent, green, with footprint and repair kit","referrer":"https://www.nordlicht.example/tents?sort=price&colour=green&page=${i % 9}","scrollDepth":${i % 100},"variant":"b"}`
}
