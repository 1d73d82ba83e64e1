import type { EventType } from '../../trpc/schema/event-types.ts'
import { categories, decimal, type Product, products, searches } from './products.ts'
import { createRandom, type Random } from './random.ts'
import { deviceOfVisit } from './visitors.ts'
import type { Visit } from './visits.ts'

const SHOP = 'https://www.nordlicht.example'
const MAX_WAIT_MS = 20 * 60_000
/** Prices in Swiss francs: a little more, and ending on .90. */
const CHF_RATE = 1.06
const EVERYDAY_CENTS = 6000

type Intent = 'bounce' | 'browse' | 'compare' | 'buy' | 'ask'
type Payload = Record<string, unknown>

/** What a visitor did, when (epoch milliseconds) and with what payload. */
export interface Act {
  type: EventType
  payload: Payload
  at: number
}

interface CartLine {
  product: Product
  quantity: number
}

/** Everything that happens in one visit, in order: the same for the same seed and visit. */
export function actsOf(visit: Visit, seed: number): Act[] {
  const { visitor, day } = visit
  const random = createRandom(seed, 4, visit.visitorNumber, visit.number)
  const acts: Act[] = []
  const cart: CartLine[] = []
  const { currency } = visitor
  let at = visit.start

  function act(type: EventType, payload: Payload): void {
    acts.push({ type, payload, at })
  }
  function wait(medianSeconds: number): void {
    at += 1 + Math.min(MAX_WAIT_MS, Math.round(random.logNormal(medianSeconds * 1000, 0.85)))
  }
  function view(path: string, title: string, referrer?: string): void {
    act('page_view', { url: `${SHOP}${path}`, title: `${title} · Nordlicht Outdoor`, ...(referrer && { referrer }) })
  }
  function click(buttonId: string, buttonText: string, extra: Payload = {}): void {
    act('button_click', { buttonId, buttonText, ...extra })
  }
  const priceOf = (product: Product) => priceCents(product, currency)

  function arrive(): void {
    act('session_start', {
      ...deviceOfVisit(visitor, random),
      timezone: visitor.timezone,
      language: visitor.language,
    })
    wait(0.8)
    const source = random.weighted(sources)
    if (source.campaign) view(`/?utm_source=${source.campaign}`, 'Autumn outdoors', source.referrer)
    else if (random.chance(0.45)) view('/', 'Gear for the north', source.referrer)
    else viewCategory(random.pick(Object.keys(categories)), source.referrer)
    if (visit.number === 0 && random.chance(0.62)) {
      wait(3)
      click('cookie-accept', 'Accept all', { elementClass: 'btn btn-primary' })
    }
  }

  function viewCategory(category: string, referrer?: string): void {
    view(`/c/${category}`, categories[category] ?? category, referrer)
  }

  /** A search or a category page; returns the category whose products are on it, or null when nothing was found. */
  function look(): string | null {
    wait(16)
    if (random.chance(0.36)) {
      const { query, category } = random.weighted(searches)
      const inCategory = products.filter((product) => product.category === category).length
      act('search', {
        query,
        resultsCount: category ? inCategory * 4 + random.int(9) : 0,
        ...(category && random.chance(0.25) && { filters: { category, inStock: true } }),
      })
      return category
    }
    const category = random.pick(Object.keys(categories))
    viewCategory(category)
    if (random.chance(0.2)) {
      wait(8)
      click('filter-price', random.pick(['Up to €50', 'Up to €100', 'Up to €200']), { elementClass: 'filter' })
    }
    return category
  }

  function viewProduct(product: Product, addChance: number): void {
    wait(14)
    view(product.path, product.name)
    if (product.videoId && random.chance(0.24)) watch(product)
    if (random.chance(0.13)) {
      wait(12)
      const [buttonId, buttonText] = random.pick(productButtons)
      click(buttonId, buttonText)
    }
    // What costs little is put into the cart sooner.
    if (random.chance(addChance * Math.min(1.6, Math.sqrt(EVERYDAY_CENTS / product.priceCents)))) {
      wait(22)
      add(product)
    }
  }

  function watch(product: Product): void {
    const duration = 40 + (product.priceCents % 97)
    wait(7)
    act('video_play', {
      videoId: product.videoId,
      videoTitle: `${product.name} in the field`,
      duration,
      currentTime: 0,
    })
    if (random.chance(0.8)) {
      const seen = 1 + random.int(duration)
      at += seen * 1000
      const percentWatched = Math.round((100 * seen) / duration)
      act('video_pause', { videoId: product.videoId, currentTime: seen, percentWatched })
    }
  }

  function add(product: Product): void {
    const quantity = product.severalAtOnce ? 1 + random.int(4) : random.chance(0.06) ? 2 : 1
    const line = cart.find((other) => other.product === product)
    if (line) line.quantity += quantity
    else cart.push({ product, quantity })
    const { productId, name } = product
    act('add_to_cart', { productId, name, price: decimal(priceOf(product)), quantity, currency })
  }

  function viewCart(): void {
    wait(12)
    view('/cart', 'Cart')
    if (random.chance(0.22)) {
      wait(15)
      const line = random.pick(cart)
      const quantity = random.chance(0.7) ? line.quantity : 1
      act('remove_from_cart', { productId: line.product.productId, quantity })
      line.quantity -= quantity
      if (line.quantity === 0) cart.splice(cart.indexOf(line), 1)
    }
  }

  function checkOut(): void {
    wait(14)
    view('/checkout', 'Checkout: address')
    if (random.chance(0.16)) return
    wait(55)
    act('form_submit', {
      formId: 'checkout-address',
      formName: 'Delivery address',
      fields: { country: visitor.country, newsletter: random.chance(0.2) },
    })
    wait(4)
    view('/checkout/payment', 'Checkout: payment')
    if (random.chance(0.14)) return
    wait(38)
    click('pay', 'Pay now', { elementClass: 'btn btn-primary' })
    wait(2)
    const order = orderOf()
    act('purchase', order)
    wait(0.7)
    view(`/checkout/thanks?order=${order.orderId}`, 'Thank you')
    if (random.chance(0.015)) {
      // Reloading the last page sends the order once more: the figures count it once.
      wait(20)
      act('purchase', order)
    }
  }

  function orderOf() {
    const items = cart.map(({ product, quantity }) => ({
      productId: product.productId,
      name: product.name,
      quantity,
      price: decimal(priceOf(product)),
    }))
    const goods = cart.reduce((sum, { product, quantity }) => sum + priceOf(product) * quantity, 0)
    const coupon = day.isSale && random.chance(0.55) ? 'HERBST15' : random.chance(0.07) ? 'WELCOME10' : null
    const discount = coupon ? Math.round((goods * (coupon === 'HERBST15' ? 15 : 10)) / 100) : 0
    const shipping = goods - discount >= 5000 ? 0 : 490
    const revenue = goods - discount + shipping
    const vatPercent = currency === 'CHF' ? 8.1 : 19
    return {
      orderId: `NL-${visitor.userId.slice('user_'.length)}-${visit.number + 1}`,
      revenue: decimal(revenue),
      currency,
      items,
      tax: decimal(Math.round((revenue * vatPercent) / (100 + vatPercent))),
      shipping: decimal(shipping),
      ...(coupon && { coupon, discount: decimal(discount) }),
    }
  }

  function ask(): void {
    wait(12)
    view('/help/returns', 'Returns and repairs')
    wait(30)
    if (random.chance(0.6)) {
      const topic = random.pick(['return', 'repair', 'size', 'delivery'])
      act('form_submit', { formId: 'contact', formName: 'Contact', fields: { topic } })
    }
  }

  const intent = intentOf()
  arrive()
  if (intent === 'bounce') return acts
  if (intent === 'ask') {
    ask()
    return acts
  }
  const addChance = { browse: 0.05, compare: 0.09, buy: 0.42 }[intent]
  const rounds = { browse: 1, compare: 2, buy: 1 }[intent] + random.int(3)
  for (let round = 0; round < rounds; round++) {
    const category = look()
    if (category === null) continue
    const onPage = products.filter((product) => product.category === category)
    for (let views = 1 + random.int(3); views > 0; views--) viewProduct(popular(onPage, random), addChance)
  }
  if (random.chance(0.03)) {
    wait(10)
    act('form_submit', { formId: 'newsletter', formName: 'Newsletter', fields: { interest: 'new gear' } })
  }
  if (cart.length > 0 && random.chance(intent === 'buy' ? 0.92 : 0.5)) viewCart()
  if (cart.length > 0 && random.chance(intent === 'buy' ? 0.72 : 0.12)) checkOut()
  return acts

  function intentOf(): Intent {
    const { name } = visitor.habit
    const faithful = name !== 'once' && name !== 'seldom'
    const buying = (faithful ? 9.5 : 6) * (day.isSale ? 1.7 : 1)
    return random.weighted<Intent>([
      [faithful ? 17 : 31, 'bounce'],
      [43, 'browse'],
      [19, 'compare'],
      [buying, 'buy'],
      [4, 'ask'],
    ])
  }
}

const productButtons = [
  ['size-guide', 'Size guide'],
  ['wishlist', 'Remember'],
  ['reviews', 'Read reviews'],
  ['variant', 'Moss green'],
] as const

const sources: (readonly [number, { referrer?: string; campaign?: string }])[] = [
  [34, {}],
  [33, { referrer: 'https://www.google.com/' }],
  [9, { referrer: 'https://www.instagram.com/', campaign: 'instagram' }],
  [11, { campaign: 'newsletter' }],
  [6, { referrer: 'https://www.idealo.de/' }],
  [4, { referrer: 'https://duckduckgo.com/' }],
  [3, { referrer: 'https://www.bing.com/' }],
]

/** The first products of a page are looked at most. */
function popular(onPage: readonly Product[], random: Random): Product {
  return onPage[Math.floor(random.next() ** 1.6 * onPage.length)]!
}

function priceCents(product: Product, currency: string): number {
  if (currency !== 'CHF') return product.priceCents
  return Math.max(90, Math.round((product.priceCents * CHF_RATE) / 100) * 100 - 10)
}
