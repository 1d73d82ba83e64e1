import type { z } from 'zod'

type Guard = (value: unknown) => boolean

/**
 * A fast check made of a catalogue schema: true only for values that the schema accepts. False says nothing — ask the
 * schema, which also knows why. Kinds of schema it does not know are left to the schema itself, so a new entry in the
 * catalogue is right from the start and fast when it is made of the usual parts.
 */
export function compileGuard(schema: z.ZodType): Guard {
  const slow: Guard = (value) => schema.safeParse(value).success
  const def = schema.def as unknown as SchemaDef
  const checks = (def.checks ?? []).map((check) => compileCheck(check._zod.def))
  if (checks.includes(null)) return slow
  const passes = all(checks as Guard[])
  switch (def.type) {
    case 'string':
      return def.coerce || def.format ? slow : (value) => typeof value === 'string' && passes(value)
    case 'number':
      return def.coerce || def.format ? slow : (value) => Number.isFinite(value) && passes(value)
    case 'boolean':
      return checks.length > 0 || def.coerce ? slow : (value) => typeof value === 'boolean'
    case 'unknown':
      return checks.length > 0 ? slow : () => true
    case 'optional': {
      if (checks.length > 0) return slow
      const inner = compileGuard(def.innerType as z.ZodType)
      return (value) => value === undefined || inner(value)
    }
    case 'nullable': {
      if (checks.length > 0) return slow
      const inner = compileGuard(def.innerType as z.ZodType)
      return (value) => value === null || inner(value)
    }
    case 'array': {
      if (checks.length > 0) return slow
      const element = compileGuard(def.element as z.ZodType)
      return (value) => Array.isArray(value) && value.every(element)
    }
    case 'record':
      // Only records of anything under any name.
      if (checks.length > 0 || def.valueType?.def.type !== 'unknown' || def.keyType?.def.type !== 'string') return slow
      return (value) => isPlainObject(value)
    case 'object': {
      if (def.catchall?.def.type !== 'unknown') return slow
      const fields = Object.entries(def.shape ?? {}).map(([name, inner]) => [name, compileGuard(inner)] as const)
      return (value) => {
        if (!isPlainObject(value)) return false
        for (const [name, accepts] of fields) if (!accepts(value[name])) return false
        return passes(value)
      }
    }
    default:
      return slow
  }
}

/** The part of zod's public definitions that catalogues are made of. */
interface SchemaDef {
  type: string
  coerce?: boolean
  format?: string
  checks?: { _zod: { def: CheckDef } }[]
  innerType?: z.ZodType
  element?: z.ZodType
  keyType?: z.ZodType
  valueType?: z.ZodType
  catchall?: z.ZodType
  shape?: Record<string, z.ZodType>
}

interface CheckDef {
  check: string
  minimum?: number
  maximum?: number
  value?: number
  inclusive?: boolean
  format?: string
  pattern?: RegExp
  /** Of refine(). */
  fn?: (value: unknown) => unknown
}

function compileCheck(check: CheckDef): Guard | null {
  const { minimum, maximum, value: bound, pattern } = check
  if (check.check === 'min_length' && minimum !== undefined) return (value) => (value as string).length >= minimum
  if (check.check === 'max_length' && maximum !== undefined) return (value) => (value as string).length <= maximum
  if (check.check === 'greater_than' && typeof bound === 'number')
    return check.inclusive ? (value) => (value as number) >= bound : (value) => (value as number) > bound
  if (check.check === 'less_than' && typeof bound === 'number')
    return check.inclusive ? (value) => (value as number) <= bound : (value) => (value as number) < bound
  // A sticky or global pattern remembers where it was; only a plain one may be shared.
  if (check.check === 'string_format' && check.format === 'regex' && pattern && pattern.flags === '')
    return (value) => pattern.test(value as string)
  if (check.check === 'custom' && check.fn) {
    const { fn } = check
    return (value) => fn(value) === true
  }
  return null
}

function all(guards: Guard[]): Guard {
  const [first, second] = guards
  if (!first) return () => true
  if (guards.length === 1) return first
  if (guards.length === 2 && second) return (value) => first(value) && second(value)
  return (value) => guards.every((guard) => guard(value))
}

/** What JSON.parse makes of {…}: zod takes no other objects for records either. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
