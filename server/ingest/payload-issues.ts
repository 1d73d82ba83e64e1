import type { z } from 'zod'
import { eventLimits, type PayloadIssue } from '../../trpc/schema/event.ts'
import { compileGuard } from './payload-guard.ts'

/** What is wrong with a value, as far as it is listed. */
export interface Issues {
  listed: PayloadIssue[]
  /** How many more there are. */
  more: number
}

type Explain = (value: unknown, path: string, issues: Issues) => void

/**
 * What a catalogue schema has against a value, in the words of the schema. A list of many wrong things costs no more
 * than looking through it: the schema itself would make an issue of each field of each, megabytes from a small event.
 * `first` are known already and come before the others.
 */
export function compileIssues(schema: z.ZodType): (value: unknown, first?: readonly PayloadIssue[]) => Issues {
  const explain = compileExplain(schema)
  return (value, first = []) => {
    const issues: Issues = { listed: [...first], more: 0 }
    explain(value, 'payload', issues)
    return issues
  }
}

/** Walks over lists and objects as the schema would, and asks it only about fields that a guard does not take. */
function compileExplain(schema: z.ZodType): Explain {
  const def = schema.def as unknown as { type: string; shape?: Record<string, z.ZodType>; element?: z.ZodType }
  const guard = compileGuard(schema)
  const ask: Explain = (value, path, issues) => {
    if (guard(value)) return
    // Each of these schemas has one thing or a few to say, whatever the value.
    if (issues.listed.length >= eventLimits.issues) return void issues.more++
    const result = schema.safeParse(value)
    for (const issue of result.error?.issues ?? []) list(issues, join(path, issue.path), issue.message)
  }
  if (def.type === 'array' && def.element) {
    const element = compileExplain(def.element)
    return (value, path, issues) => {
      if (!Array.isArray(value)) return ask(value, path, issues)
      for (const [index, inner] of value.entries()) element(inner, `${path}.${index}`, issues)
    }
  }
  const { shape } = def
  if (def.type === 'object' && shape) {
    const fields = Object.entries(shape).map(([name, inner]) => [name, compileExplain(inner)] as const)
    const lists = Object.entries(shape).flatMap(([name, { def }]) => (def.type === 'array' ? [name] : []))
    return (value, path, issues) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return ask(value, path, issues)
      const fieldsOf = value as Record<string, unknown>
      for (const [name, explain] of fields) explain(fieldsOf[name], `${path}.${name}`, issues)
      if (!schema.def.checks?.length) return
      // What the schema says of the object as a whole; its lists were looked through above.
      const withoutLists = { ...fieldsOf, ...Object.fromEntries(lists.map((name) => [name, []])) }
      for (const issue of schema.safeParse(withoutLists).error?.issues ?? [])
        if (issue.code === 'custom' && !isOfField(issue)) list(issues, join(path, issue.path), issue.message)

      /** A field's own rules are listed already. */
      function isOfField({ path: [name = '', ...inner], message }: z.core.$ZodIssue): boolean {
        const own = shape?.[String(name)]?.safeParse(fieldsOf[String(name)]).error?.issues ?? []
        return own.some((issue) => issue.message === message && issue.path.join() === inner.join())
      }
    }
  }
  return ask
}

/** Adds one, or counts it where enough are listed. */
export function list(issues: Issues, path: string, message: string): void {
  if (issues.listed.length < eventLimits.issues) issues.listed.push({ path, message })
  else issues.more++
}

function join(path: string, inner: readonly PropertyKey[]): string {
  return [path, ...inner].join('.')
}
