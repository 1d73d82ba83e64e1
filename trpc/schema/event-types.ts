import { z } from 'zod'
import { isCurrency } from './currencies.ts'
import { isCountable } from './minor-units.ts'

/**
 * The event catalogue: the single source of what an event may be. Validation, types, API docs, the store's
 * codes, the demo shop and the pages all follow from it; adding a type is one entry here. A field that may be left out
 * may be null as well (nullish): many clients write null for what they do not have.
 */
export interface EventTypeSpec<P extends z.ZodObject = z.ZodObject> {
  /** Shown in front of the event on every page. */
  readonly icon: string
  /** What the user did, in the past tense: "Viewed page". */
  readonly label: string
  /** The object of the verb, made of the payload: "/tents". Empty where the payload lacks it. */
  readonly subject: (payload: Partial<z.infer<P>>) => string
  readonly payload: P
}

function eventType<P extends z.ZodObject>(spec: EventTypeSpec<P>): EventTypeSpec<P> {
  return spec
}

const text = z.string().max(4096)
const amount = z.number().nonnegative()
const quantity = z.number().positive()
const currency = z.string().refine(isCurrency, 'is no ISO 4217 code of three capital letters, such as EUR')

/** By which a purchase becomes an order: no engine finds a text with a NUL again. */
const orderId = text.refine((id) => id.trim() !== '' && !id.includes('\0'), 'is empty, or holds a NUL character')

const orderItem = z.looseObject({ productId: text.min(1), name: text, quantity, price: amount })

export const eventTypes = {
  session_start: eventType({
    icon: '🚀',
    label: 'Started a session',
    subject: (p) => [p.browser, p.os, p.deviceType].filter(Boolean).join(', '),
    payload: z.looseObject({
      deviceType: text.nullish(),
      browser: text.nullish(),
      os: text.nullish(),
      screenResolution: text.nullish(),
      timezone: text.nullish(),
      language: text.nullish(),
    }),
  }),
  page_view: eventType({
    icon: '👁️',
    label: 'Viewed page',
    subject: (p) => p.title ?? p.url ?? '',
    payload: z.looseObject({ url: text, title: text.nullish(), referrer: text.nullish() }),
  }),
  search: eventType({
    icon: '🔍',
    label: 'Searched',
    subject: (p) => (p.query === undefined ? '' : `“${p.query}”`),
    payload: z.looseObject({
      query: text,
      resultsCount: z.number().nonnegative().nullish(),
      filters: z.record(z.string(), z.unknown()).nullish(),
    }),
  }),
  purchase: eventType({
    icon: '💰',
    label: 'Purchased',
    subject: (p) => (p.orderId === undefined ? '' : `order ${p.orderId}`),
    payload: z
      .looseObject({
        orderId,
        revenue: amount,
        currency,
        items: z.array(orderItem),
        coupon: text.nullish(),
        tax: z.number().nullish(),
        shipping: z.number().nullish(),
        discount: z.number().nullish(),
      })
      .refine((order) => isCountable(order.revenue, order.currency), {
        path: ['revenue'],
        error: 'is more than 1,000,000,000,000 minor units (cents of EUR), which is no order',
      }),
  }),
  add_to_cart: eventType({
    icon: '🛒',
    label: 'Added to cart',
    subject: (p) => p.name ?? p.productId ?? '',
    payload: z.looseObject({
      productId: text.min(1),
      name: text,
      price: amount,
      quantity,
      currency: currency.nullish(),
    }),
  }),
  remove_from_cart: eventType({
    icon: '❌',
    label: 'Removed from cart',
    subject: (p) => p.productId ?? '',
    payload: z.looseObject({ productId: text.min(1), quantity }),
  }),
  button_click: eventType({
    icon: '👆',
    label: 'Clicked',
    subject: (p) => p.buttonText ?? p.buttonId ?? '',
    payload: z.looseObject({
      buttonId: text.nullish(),
      buttonText: text.nullish(),
      elementClass: text.nullish(),
      targetUrl: text.nullish(),
    }),
  }),
  form_submit: eventType({
    icon: '📝',
    label: 'Submitted form',
    subject: (p) => p.formName ?? p.formId ?? '',
    payload: z.looseObject({
      formId: text.min(1),
      formName: text.nullish(),
      fields: z.record(z.string(), z.unknown()).nullish(),
    }),
  }),
  video_play: eventType({
    icon: '▶️',
    label: 'Played video',
    subject: (p) => p.videoTitle ?? p.videoId ?? '',
    payload: z.looseObject({
      videoId: text.min(1),
      videoTitle: text.nullish(),
      duration: z.number().nonnegative().nullish(),
      currentTime: z.number().nonnegative().nullish(),
    }),
  }),
  video_pause: eventType({
    icon: '⏸️',
    label: 'Paused video',
    subject: (p) => p.videoId ?? '',
    payload: z.looseObject({
      videoId: text.min(1),
      currentTime: z.number().nonnegative(),
      percentWatched: z.number().min(0).max(100).nullish(),
    }),
  }),
} as const

export type EventType = keyof typeof eventTypes
export const eventTypeNames = Object.keys(eventTypes) as [EventType, ...EventType[]]
export type PurchasePayload = z.infer<(typeof eventTypes)['purchase']['payload']>

/** The catalogue's entry for a name, or undefined for a name it does not have (an older store may hold such rows). */
export function eventTypeSpec(name: string): EventTypeSpec | undefined {
  return Object.hasOwn(eventTypes, name) ? (eventTypes[name as EventType] as unknown as EventTypeSpec) : undefined
}
