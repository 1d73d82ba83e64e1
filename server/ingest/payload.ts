import { z } from 'zod'
import type { PayloadIssue } from '../../trpc/schema/event.ts'
import { eventLimits } from '../../trpc/schema/event.ts'
import { type EventType, eventTypes } from '../../trpc/schema/event-types.ts'
import { readPurchase } from '../../trpc/schema/purchase.ts'
import { compileGuard } from './payload-guard.ts'
import { compileIssues, type Issues, list } from './payload-issues.ts'

/** A payload as it is kept, and how its values differ from what was sent; or why it cannot be kept at all. */
export type SoundPayload = { payload: Record<string, unknown> | null; marks: Issues | null } | { fault: PayloadIssue }

/**
 * Values that break a bulk write of one engine or another would take the innocent events of their batch along, and
 * others would silently come back as something else. What can be mended is, and marked. `isUtf8` is whether the bytes of
 * the request were: else U+FFFD stands where they were not.
 */
export function soundPayload(payload: Record<string, unknown> | null, isUtf8: boolean): SoundPayload {
  if (isUtf8 && isSound(payload, 1)) return { payload, marks: null }
  try {
    const mending: Mending = { isUtf8, marks: { listed: [], more: 0 } }
    const kept = mended(payload, 'payload', 1, mending) as typeof payload
    return { payload: kept, marks: mending.marks.listed.length > 0 ? mending.marks : null }
  } catch (error) {
    if (error instanceof Unkept) return { fault: error.issue }
    throw error
  }
}

/** The same answer without the place, at a fifth of the cost: nearly every payload is sound. */
function isSound(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value === 'number') return isExact(value)
  if (typeof value !== 'object' || value === null) return true
  if (depth > eventLimits.nesting) return false
  if (Array.isArray(value)) {
    for (const inner of value) if (!isSound(inner, depth + 1)) return false
    return true
  }
  for (const key of Object.keys(value))
    if (!isSoundKey(key) || !isSound((value as Record<string, unknown>)[key], depth + 1)) return false
  return true
}

/** Beyond 2^53 every number is whole, and not every whole number is one. */
function isExact(value: number): boolean {
  return value > -(2 ** 53) && value < 2 ** 53 && (value !== 0 || 1 / value > 0)
}

function isSoundKey(key: string): boolean {
  return !isUnkeptKey(key) && key.isWellFormed()
}

function isUnkeptKey(key: string): boolean {
  return key.includes('\0') || key === '_bsontype' || key === '__proto__'
}

interface Mending {
  isUtf8: boolean
  marks: Issues
}

class Unkept extends Error {
  readonly issue: PayloadIssue
  constructor(path: string, message: string) {
    super(message)
    this.issue = { path: cut(path), message }
  }
}

function mended(value: unknown, path: string, depth: number, mending: Mending): unknown {
  if (typeof value === 'string') return mendedText(value, path, mending)
  if (typeof value === 'number') return mendedNumber(value, path, mending)
  if (typeof value !== 'object' || value === null) return value
  if (depth > eventLimits.nesting) throw new Unkept(path, `nests deeper than ${eventLimits.nesting} levels`)
  if (Array.isArray(value)) return value.map((inner, index) => mended(inner, `${path}[${index}]`, depth + 1, mending))
  const kept: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value)) {
    if (key.includes('\0')) throw new Unkept(path, 'has a key with a NUL character')
    if (isUnkeptKey(key)) throw new Unkept(`${path}.${key}`, 'is a reserved key')
    const name = mendedText(key, `${path}: a key`, mending)
    kept[name] = mended(inner, `${path}.${name}`, depth + 1, mending)
  }
  return kept
}

function mendedText(text: string, path: string, mending: Mending): string {
  const whole = text.toWellFormed()
  if (whole !== text) mark(mending, path, 'held half of a surrogate pair, which became U+FFFD')
  else if (!mending.isUtf8 && text.includes('\ufffd'))
    mark(mending, path, 'held bytes that are not UTF-8, which became U+FFFD')
  return whole
}

function mendedNumber(value: number, path: string, mending: Mending): number | null {
  if (isExact(value)) return value
  if (!Number.isFinite(value))
    mark(mending, path, 'was a number too large to keep, which became null; send it as a text')
  else if (value === 0) mark(mending, path, 'was -0, which became 0')
  else
    mark(mending, path, 'is a number beyond 2^53, whose last digits may differ from what was sent; send it as a text')
  return Number.isFinite(value) ? value + 0 : null
}

function mark({ marks }: Mending, path: string, message: string): void {
  list(marks, cut(path), message)
}

const MAX_PATH = 200

function cut(path: string): string {
  return path.length <= MAX_PATH ? path : `${path.slice(0, MAX_PATH).toWellFormed()}…`
}

const guards = Object.fromEntries(
  Object.entries(eventTypes).map(([type, { payload }]) => [type, compileGuard(payload)]),
) as Record<EventType, (payload: unknown) => boolean>

const issuesOf = Object.fromEntries(
  Object.entries(eventTypes).map(([type, { payload }]) => [type, compileIssues(payload)]),
) as Record<EventType, (payload: unknown) => Issues>

const { orderId: _id, revenue: _amount, currency: _code, ...beside } = eventTypes.purchase.payload.shape
const besideOrder = compileIssues(z.looseObject(beside))

/**
 * What the catalogue has to say against a payload, and how it was mended: eventLimits.issues of it and how much more
 * there is; null when it is as it should be.
 */
export function payloadIssues(
  type: EventType,
  payload: Record<string, unknown> | null,
  marks: Issues | null = null,
): PayloadIssue[] | null {
  const fits = guards[type](payload ?? {})
  if (fits && marks === null) return null
  const issues = fits ? { listed: [], more: 0 } : issuesIn(type, payload)
  for (const { path, message } of marks?.listed ?? []) list(issues, path, message)
  const { listed } = issues
  const more = issues.more + (marks?.more ?? 0)
  if (more > 0) listed.push({ path: 'payload', message: `and ${more} more` })
  return listed.length > 0 ? listed : null
}

/** What decides whether a purchase counts is read by one function everywhere, and comes first. */
function issuesIn(type: EventType, payload: Record<string, unknown> | null): Issues {
  if (type !== 'purchase') return issuesOf[type](payload ?? {})
  return besideOrder(payload ?? {}, readPurchase(payload).marks)
}
