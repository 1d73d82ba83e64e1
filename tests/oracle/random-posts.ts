import { createHash } from 'node:crypto'

/** Currencies with each possible number of decimals; HUF and RSD have different ones in different runtimes. */
export type Currency = 'EUR' | 'JPY' | 'KWD' | 'CLF' | 'HUF' | 'RSD'

/** One event as a client sends it. */
export interface PostedEvent {
  eventId: string
  userId: string
  sessionId: string
  type: string
  payload: Record<string, unknown>
  occurredAt: string
}

/** The true value of a purchase's order; the payload states it in one of several ways. */
export interface DrawnOrder {
  orderId: string
  currency: Currency
  /** Decimal text. */
  amount: string
}

/** Why a purchase is not an order, and the amount and currency it states anyway; the amount may be negative. */
export interface DrawnFault {
  reason: string
  currency: Currency | null
  amount: string | null
}

export interface DrawnEvent {
  posted: PostedEvent
  /** Null if the event is no purchase, or a purchase without valid data. */
  order: DrawnOrder | null
  fault: DrawnFault | null
}

export interface DrawnRequest {
  /** Orders sent with a server key (or none) are verified; with a browser key they are only claimed. */
  sender: 'server' | 'browser'
  events: DrawnEvent[]
}

export interface DrawnShop {
  zone: string
  requests: DrawnRequest[]
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Zones, each with an instant of interest: a clock change, midnight at an unusual offset, New Year. */
const places: readonly { zone: string; near: number }[] = [
  { zone: 'Europe/Berlin', near: Date.UTC(2026, 9, 25, 1) },
  { zone: 'Europe/Berlin', near: Date.UTC(2026, 2, 29, 1) },
  { zone: 'Asia/Kathmandu', near: Date.UTC(2025, 11, 31, 18, 15) },
  { zone: 'America/St_Johns', near: Date.UTC(2025, 10, 2, 4, 30) },
  { zone: 'America/St_Johns', near: Date.UTC(2026, 2, 8, 5, 30) },
  { zone: 'Australia/Lord_Howe', near: Date.UTC(2026, 3, 4, 15) },
  { zone: 'Australia/Lord_Howe', near: Date.UTC(2025, 9, 4, 15, 30) },
  { zone: 'Pacific/Chatham', near: Date.UTC(2025, 8, 27, 14) },
  { zone: 'Pacific/Chatham', near: Date.UTC(2026, 3, 4, 14) },
  { zone: 'Asia/Calcutta', near: Date.UTC(2024, 1, 29, 18, 30) },
  { zone: 'UTC', near: Date.UTC(2026, 0, 1) },
]

const currencies: readonly Currency[] = ['EUR', 'JPY', 'KWD', 'CLF', 'HUF', 'RSD']
/** Two of them sort differently in UTF-16 and UTF-8; some need escaping in a URL. */
const users = ['u', 'u1', 'u10', 'u2', 'U1', 'uﬀ', 'u😀', 'a/b?c', '50%', 'with space', 'ü+é', '%2F']
const sessions = ['s1', 's2', 's3', 's 4/😀', 'sﬀ']

/** Deterministic random numbers 0 <= x < 1, from hashes of the seed and a counter. */
export function drawer(seed: number) {
  let counter = 0
  const next = () => createHash('sha256').update(`${seed}/${counter++}`).digest().readUInt32BE() / 2 ** 32
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    chance: (share: number) => next() < share,
    below,
    pick: <T>(from: readonly T[]) => from[below(from.length)]!,
  }
}

type Draw = ReturnType<typeof drawer>

/**
 * A random shop of some hundred events: late ones, equal times, sessions across midnight and clock changes, repeated
 * ids with the same or other content, repeated orders with the same or another amount, six currencies, invalid
 * payloads. `now`: epoch ms; browser events must be recent, so some shops lie near it.
 */
export function drawShop(seed: number, now: number): DrawnShop {
  const draw = drawer(seed)
  // Browsers may not send old events, so some shops are near today.
  const place = draw.chance(0.4) ? { zone: draw.pick(places).zone, near: now - 2 * DAY_MS } : draw.pick(places)
  const sent: DrawnEvent[] = []
  const requests: DrawnRequest[] = []
  const count = 25 + draw.below(40)
  for (let n = 0; n < count; n++) {
    const events: DrawnEvent[] = []
    const size = draw.pick([1, 1, 2, 3, 8, 20])
    for (let i = 0; i < size; i++) {
      const again = sent.length > 0 && draw.chance(0.1)
      const event = again ? repeated(draw, draw.pick(sent)) : drawEvent(draw, place.near, `e${seed}-${sent.length}`)
      sent.push(event)
      events.push(event)
    }
    requests.push({ sender: draw.chance(0.4) ? 'browser' : 'server', events })
  }
  return { zone: place.zone, requests }
}

/** Repeats an event, either identically or with other content under the same id; the first one must be kept. */
function repeated(draw: Draw, event: DrawnEvent): DrawnEvent {
  if (draw.chance(0.7)) return event
  return { ...event, posted: { ...event.posted, userId: draw.pick(users), sessionId: draw.pick(sessions) } }
}

function drawEvent(draw: Draw, near: number, eventId: string): DrawnEvent {
  const offset = draw.chance(0.6)
    ? (draw.below(97) - 48) * 15 * MINUTE_MS
    : draw.chance(0.5)
      ? (draw.below(5) - 3) * DAY_MS
      : -draw.below(3 * DAY_MS)
  const { type, payload, order, fault } = drawContent(draw)
  const posted = {
    eventId,
    userId: draw.pick(users),
    sessionId: draw.pick(sessions),
    type,
    payload,
    // Must not be in the future: near today, offsets reach at most two days ahead of `near`.
    occurredAt: new Date(near + offset).toISOString(),
  }
  return { posted, order, fault }
}

type Content = Pick<PostedEvent, 'type' | 'payload'> & Pick<DrawnEvent, 'order' | 'fault'>

function drawContent(draw: Draw): Content {
  const kind = draw.below(10)
  if (kind < 5) return { type: 'purchase', ...drawPurchase(draw) }
  const other = (type: string, payload: Record<string, unknown>) => ({ type, payload, order: null, fault: null })
  if (kind === 5) return other('page_view', { url: '/', title: 'Ünïcode 😀' })
  if (kind === 6) return other('search', { query: 'tent', resultsCount: draw.below(9) })
  // A payload that does not match its type is stored anyway.
  if (kind === 7) return other('search', { resultsCount: 'many' })
  if (kind === 8) return other('button_click', { buttonId: 'b', nested: { deep: [1, { a: null }] } })
  return other('video_pause', { videoId: 'v', currentTime: 1.5 })
}

const decimals: Record<Currency, number> = { EUR: 2, JPY: 0, KWD: 3, CLF: 4, HUF: 2, RSD: 2 }

function drawPurchase(draw: Draw): Omit<Content, 'type'> {
  const number = 1 + draw.below(14)
  const currency = draw.pick(currencies)
  const amount = drawAmount(draw, decimals[currency])
  const items = [{ productId: 'p', name: 'Tent', quantity: 1, price: Number(amount) }]
  const payload = { orderId: String(number), revenue: Number(amount), currency, items }
  const order = { orderId: String(number), currency, amount }
  const counts = (changed: Record<string, unknown>) => ({ payload: { ...payload, ...changed }, order, fault: null })
  const fails = (reason: string, changed: Record<string, unknown>, said: Partial<DrawnFault> = {}) => ({
    payload: { ...payload, ...changed },
    order: null,
    fault: { reason, currency, amount: null, ...said },
  })
  // In text, surplus decimals could be taken for a thousands separator.
  const isPlain = (amount.split('.')[1]?.length ?? 0) <= decimals[currency]
  const way = draw.below(14)
  if (way === 0) return counts({ orderId: number })
  if (way === 1 && isPlain) return counts({ revenue: amount })
  if (way === 2) return counts({ currency: ` ${currency.toLowerCase()} ` })
  if (way === 3) return counts({ items: undefined })
  if (way === 4) return counts({ items: [{ name: 7 }], coupon: null, tax: 'x' })
  if (way === 5)
    return draw.pick([
      fails('odd_amount', { revenue: `${amount.replace('.', '')},50` }),
      fails('odd_amount', { revenue: { amount: 5 } }),
      fails('negative_amount', { revenue: -1 }, { amount: '-1' }),
      fails('no_amount', { revenue: null }),
      fails('odd_currency', { currency: 'XQX' }, { currency: null }),
      fails('no_currency', { currency: undefined }, { currency: null }),
      fails('no_order_id', { orderId: '' }, { amount }),
    ])
  return counts({})
}

/** Sometimes has one decimal more than the currency, which the server must round. */
function drawAmount(draw: Draw, places: number): string {
  const digits = draw.chance(0.2) ? places + 1 : places
  const whole = draw.chance(0.1) ? 0 : draw.below(draw.chance(0.1) ? 9_000_000 : 400)
  if (digits === 0) return String(whole)
  const fraction = draw.chance(0.3) ? '5'.padStart(digits, '0') : String(draw.below(10 ** digits)).padStart(digits, '0')
  return `${whole}.${fraction}`
}
