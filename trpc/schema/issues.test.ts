import { expect, it } from 'vitest'
import { z } from 'zod'
import { issuesText } from './issues.ts'

const text = (schema: z.ZodType, input: unknown) => issuesText(schema.safeParse(input).error!)

it.each([
  [z.string(), undefined, 'field: missing, must be a text'],
  [z.string(), 7, 'field: must be a text'],
  [z.boolean(), 'yes', 'field: must be true or false'],
  [z.array(z.string()), undefined, 'field: missing, must be a list'],
  [z.array(z.string()).min(1), [], 'field: must have at least 1 entry'],
  [z.coerce.number().int(), 'many', 'field: must be a number'],
  [z.coerce.number().int(), '1.5', 'field: must be a whole number'],
  [z.coerce.number().min(1), 0, 'field: must be at least 1'],
  [z.coerce.number().max(100), 101, 'field: must be at most 100'],
  [z.string().min(1), '', 'field: must have at least 1 character'],
  [z.string().max(3), 'four', 'field: must have at most 3 characters'],
  [z.enum(['asc', 'desc']), 'up', 'field: must be one of asc, desc'],
  [z.enum(['asc', 'desc']), undefined, 'field: must be one of asc, desc'],
  [z.literal('a'), 'b', 'field: must be a'],
  [z.string('Enter your name'), undefined, 'field: Enter your name'],
])('tells what %o expects instead of %o', (schema, input, says) => {
  expect(text(z.object({ field: schema }), { field: input })).toBe(says)
})

it('names every field, within others too, and an input that is none', () => {
  const schema = z.object({ a: z.string(), b: z.object({ c: z.array(z.number()) }) })
  expect(text(schema, { b: { c: [1, 'x'] } })).toBe('a: missing, must be a text; b.c.1: must be a number')
  expect(text(schema, undefined)).toBe('The input: missing, must be an object')
})
