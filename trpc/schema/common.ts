import { z } from 'zod'

/** A calendar day in the site's time zone, "YYYY-MM-DD". */
export const day = z.iso.date('must be a day such as 2026-11-22')

/** A day that may be asked for. Those around it (its week, the year before) have names of four-digit years as well. */
export const askedDay = day
  .refine((text) => text >= '1900-01-01' && text <= '9998-12-31', {
    error: 'must be a day from 1900-01-01 to 9998-12-31',
  })
  .meta({
    description: 'A day from 1900-01-01 to 9998-12-31.',
    pattern: '^(19\\d\\d|[2-8]\\d{3}|9[0-8]\\d\\d|99[0-8]\\d|999[0-8])-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$',
  })

/** Of a user or a session, in UTF-16 units. */
export const MOST_ID_LENGTH = 256

/**
 * A cursor holds one id, of whose characters JSON makes six bytes at most (\u0001), and beside it less than 256 bytes;
 * base64 makes four of every three.
 */
const MOST_CURSOR_LENGTH = Math.ceil((6 * MOST_ID_LENGTH + 256) / 3) * 4

/** Where a list goes on: what an answer gave as nextCursor or previousCursor. */
export const cursorInput = z
  .string()
  .max(MOST_CURSOR_LENGTH)
  .meta({ description: 'nextCursor (or previousCursor) of an answer before.', pattern: '^[A-Za-z0-9_-]*$' })
  .optional()

/** A user's or a session's id that is asked for, trimmed as the door trims those it stores. */
export const idInput = z.string().max(MOST_ID_LENGTH).trim().min(1)

/** Which shop a question is about; the first one where nothing is said. */
export const siteParam = {
  site: idInput.optional().meta({ description: 'The id of a site. Without it the first one.' }),
}

export const sortOrder = z.enum(['asc', 'desc'])
export type SortOrder = z.infer<typeof sortOrder>

/** To which receivedAt an answer is complete, and how many accepted events it does not show yet. */
export const freshness = z.object({ completeTo: z.iso.datetime(), waiting: z.number().int().nonnegative() })
export type Freshness = z.infer<typeof freshness>

/**
 * Who said it. verified: a server with its secret key, an import, or anybody where no key is asked for. claimed: a
 * browser, whose key everybody can read.
 */
export const trust = z.enum(['verified', 'claimed'])
export type Trust = z.infer<typeof trust>

/** Minor units. isMore: the sum is larger than a number can say, and this is the largest that can. */
const gross = { gross: z.number().int(), isMore: z.literal(true).optional() }
const count = z.number().int().nonnegative()

/**
 * A sum in one currency, in its minor units (cents for EUR, yen for JPY); decimals says how many digits of it stand after
 * the point. Never added across currencies. claimed is the part that browsers say, verified all else of it: a sum of its
 * own, exact however much browsers claim.
 */
export const money = z.object({
  currency: z.string(),
  decimals: count,
  orders: count,
  ...gross,
  verified: z.object({ orders: count, ...gross }),
  claimed: z.object({ orders: count, ...gross }),
})
export type Money = z.infer<typeof money>

/** Why a purchase brings no money of its own. It is stored and counted as an event all the same. */
const asideReason = z.enum([
  'no_order_id',
  'odd_order_id',
  'no_amount',
  'odd_amount',
  'negative_amount',
  'large_amount',
  'no_currency',
  'odd_currency',
  /** A repetition of an order that says something else of it than the purchase that counts. */
  'other_amount',
  'other_currency',
])
export type AsideReason = z.infer<typeof asideReason>

/** Purchases that do not count as orders, by why, with what they say they are worth where that can be read. */
export const asideSum = z.object({
  reason: asideReason,
  /** null where the event states none that is known. */
  currency: z.string().nullable(),
  decimals: count.nullable(),
  purchases: count,
  ...gross,
})
export type AsideSum = z.infer<typeof asideSum>

export const site = z.object({ id: z.string(), name: z.string(), timeZone: z.string(), currency: z.string() })
export type Site = z.infer<typeof site>
