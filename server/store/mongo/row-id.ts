import { fromOrderKey, orderKey } from './order-key.ts'

/**
 * The _id of each kind of row: texts with NUL between the parts, which no part holds (unfit.ts), so that all rows of a
 * site, or all sessions of a user, are one range of the index that every collection has.
 */

export function userRowId(siteId: string, userId: string): string {
  return `${siteId}\0${orderKey(userId)}`
}

export function sessionRowId(userRow: string, sessionId: string): string {
  return `${userRow}\0${orderKey(sessionId)}`
}

/** Of events, of their claims and of orders. */
export function plainRowId(siteId: string, id: string): string {
  return `${siteId}\0${id}`
}

/** Days that no event can have are taken for the nearest that one can. */
export function dayRowId(siteId: string, dayNo: number): string {
  const place = Math.min(Math.max(dayNo - FIRST_DAY, 0), 10 ** DAY_DIGITS - 1)
  return `${siteId}\0${String(place).padStart(DAY_DIGITS, '0')}`
}

export function dayOfRowId(rowId: string): number {
  return Number(rowId.slice(-DAY_DIGITS)) + FIRST_DAY
}

export function siteOfRowId(rowId: string): string {
  return rowId.slice(0, rowId.indexOf('\0'))
}

/** What comes after the site: the plain id. */
export function idOfRowId(rowId: string): string {
  return rowId.slice(rowId.indexOf('\0') + 1)
}

export function userOfRowId(rowId: string): string {
  return fromOrderKey(idOfRowId(rowId))
}

/** Every _id of the site is greater than the first and less than the second. */
export function siteBounds(siteId: string): [string, string] {
  return [`${siteId}\0`, `${siteId}\x01`]
}

/** Day -1 exists: 1970-01-01 UTC is still 1969 in the west. */
const FIRST_DAY = -2
const DAY_DIGITS = 7
