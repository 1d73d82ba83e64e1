import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { appRouter } from './router.ts'
import { issuesText } from './schema/issues.ts'

const inputs = Object.entries(appRouter._def.procedures).flatMap(([name, procedure]) =>
  (procedure as unknown as { _def: { inputs: z.ZodType[] } })._def.inputs.map((schema) => [name, schema] as const),
)

describe('what a procedure says to a wrong input', () => {
  it('is asked of all that take one', () => {
    expect(inputs.length).toBeGreaterThan(10)
  })

  it.each(inputs)('%s: names the field and what it takes, in no words of the validation', (_name, schema) => {
    const fields = Object.keys((schema as { shape?: object }).shape ?? {})
    const wrong = [undefined, null, 7, {}, ...[null, {}, 'x'.repeat(10_000), -1, 1.5, 1e12, []].map(everywhere)]
    function everywhere(value: unknown) {
      return Object.fromEntries(fields.map((field) => [field, value]))
    }
    for (const input of wrong) {
      const { error } = schema.safeParse(input)
      if (error) expect(issuesText(error)).not.toMatch(/Invalid|Too (big|small)|expected|received|undefined|NaN/)
    }
  })
})
