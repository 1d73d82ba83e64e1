/** Generates shop events as JSON text. Each id names the event's origin: RUN-number-place. */

const VISITS = 20_000
const USERS = 5000
const PRODUCTS = 400

/** Kinds: "page" has only page views, the shortest events; "shop" has all types in usual proportions. */
export function eventOf({ kind, run, number, place }) {
  const i = number + place * 7919
  const head = `{"eventId":"${run}-${number}-${place}","userId":"user_${i % USERS}","sessionId":"s_${i % VISITS}",`
  return kind === 'page' ? `${head}${pageView(i % 40)}}` : `${head}"occurredAt":${Date.now()},${act(i)}}`
}

function pageView(product) {
  return `"type":"page_view","payload":{"url":"https://www.nordlicht.example/p/${product}","title":"Fjell 2 tent"}`
}

/** The type and payload of an event; one of 25 is an order. */
function act(i) {
  const product = i % PRODUCTS
  const share = (i >> 3) % 25
  if (share === 0)
    return `"type":"purchase","payload":{"orderId":"o-${i}","revenue":129.9,"currency":"EUR","items":[{"productId":"p-${product}","name":"Fjell 2 tent","quantity":1,"price":129.9}],"shipping":4.9}`
  if (share < 4)
    return `"type":"add_to_cart","payload":{"productId":"p-${product}","name":"Fjell 2 tent","price":129.9,"quantity":1,"currency":"EUR"}`
  if (share < 6) return `"type":"search","payload":{"query":"tent for ${product % 7} people","resultsCount":${product}}`
  if (share < 9)
    return `"type":"button_click","payload":{"buttonId":"b-${product % 30}","buttonText":"Add to basket","targetUrl":"/p/${product}"}`
  return `"type":"page_view","payload":{"url":"https://www.nordlicht.example/tents/p/${product}?from=list&page=${i % 9}","title":"Fjell 2 tent, green, with footprint","referrer":"https://www.nordlicht.example/tents?sort=price&page=${i % 9}"}`
}
