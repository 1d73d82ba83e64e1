import { z } from 'zod'
import type { PayloadIssue } from '../../trpc/schema/event.ts'
import { eventLimits } from '../../trpc/schema/event.ts'
import { type EventType, eventTypes } from '../../trpc/schema/event-types.ts'
import { readPurchase } from '../../trpc/schema/purchase.ts'
import { compileGuard } from './payload-guard.ts'
import { compileIssues } from './payload-issues.ts'

/**
 * Why a payload can not be kept at all: such values break a bulk write of one engine or another later, and would take
 * the innocent events of their batch along. Null when it can be kept.
 */
export function payloadFault(payload: unknown): PayloadIssue | null {
  return isSound(payload, 1) ? null : findFault(payload, 'payload', 1)
}

/** The same answer without the place, at a fifth of the cost: nearly every payload is sound. */
function isSound(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value === 'number') return Number.isFinite(value)
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

function isSoundKey(key: string): boolean {
  return !key.includes('\0') && key !== '_bsontype' && key !== '__proto__' && key.isWellFormed()
}

function findFault(value: unknown, path: string, depth: number): PayloadIssue | null {
  if (typeof value === 'string')
    return value.isWellFormed() ? null : { path, message: 'holds half of a surrogate pair' }
  if (typeof value === 'number') return Number.isFinite(value) ? null : { path, message: 'is a number out of range' }
  if (typeof value !== 'object' || value === null) return null
  if (depth > eventLimits.nesting) return { path, message: `nests deeper than ${eventLimits.nesting} levels` }
  for (const [key, inner] of Object.entries(value)) {
    const innerPath = Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`
    if (key.includes('\0')) return { path, message: 'has a key with a NUL character' }
    if (!key.isWellFormed()) return { path, message: 'has a key with half of a surrogate pair' }
    if (!isSoundKey(key)) return { path: innerPath, message: 'is a reserved key' }
    const fault = findFault(inner, innerPath, depth + 1)
    if (fault) return fault
  }
  return null
}

const guards = Object.fromEntries(
  Object.entries(eventTypes).map(([type, { payload }]) => [type, compileGuard(payload)]),
) as Record<EventType, (payload: unknown) => boolean>

const issuesOf = Object.fromEntries(
  Object.entries(eventTypes).map(([type, { payload }]) => [type, compileIssues(payload)]),
) as Record<EventType, (payload: unknown) => PayloadIssue[] | null>

const { orderId: _id, revenue: _amount, currency: _code, ...beside } = eventTypes.purchase.payload.shape
const besideOrder = compileIssues(z.looseObject(beside))

/**
 * What the catalogue has to say against a payload, eventLimits.issues of it and how much more there is; null when it is
 * as it should be.
 */
export function payloadIssues(type: EventType, payload: Record<string, unknown> | null): PayloadIssue[] | null {
  if (guards[type](payload ?? {})) return null
  if (type !== 'purchase') return issuesOf[type](payload ?? {})
  // What decides whether a purchase counts is read by one function everywhere, and comes first.
  return besideOrder(payload ?? {}, readPurchase(payload).marks)
}
