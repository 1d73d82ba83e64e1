import type { TRPCError } from '@trpc/server'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Context } from './init.ts'
import { appRouter, createCaller } from './router.ts'
import { issuesText } from './schema/issues.ts'

/** The procedures by room and name, whatever they take. */
type Caller = Record<string, Record<string, (input?: unknown) => Promise<unknown>>>

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

describe('a question about a site', () => {
  const ofSites = ['stats', 'users', 'journey']
  const asked = Object.keys(appRouter._def.procedures).filter((name) => ofSites.includes(name.split('.')[0] ?? ''))
  const first = { id: 'default', name: 'First', timeZone: 'UTC', currency: 'EUR' }

  it('names it in the input', () => {
    const named = inputs.filter(([, schema]) => {
      const object = schema instanceof z.ZodOptional ? schema.unwrap() : schema
      return object instanceof z.ZodObject && 'site' in object.shape
    })
    expect(named.map(([name]) => name).sort()).toEqual(asked.sort())
  })

  it.each(asked)('%s: is of nobody where there is no such site', async (name) => {
    const store = { site: async (id: string) => (id === 'second' ? { ...first, id } : null) }
    const caller = createCaller({ store, site: first, tool: 'test' } as unknown as Context) as unknown as Caller
    const [room = '', verb = ''] = name.split('.')
    const code = (site: string) =>
      caller[room]![verb]!({ site, userId: 'u', cursor: '' }).then(
        () => 'answered',
        (error: TRPCError) => error.code,
      )
    expect(await code('third')).toBe('NOT_FOUND')
    expect(await code('second')).not.toBe('NOT_FOUND')
    // What is no id is refused as any other wrong input.
    expect(await code('x'.repeat(300))).toBe('BAD_REQUEST')
  })
})

/** Who may ask what; a procedure that is not here fails the test. */
const mayAsk = {
  anybody: ['auth.session', 'auth.signIn', 'auth.signOut', 'auth.signUp', 'auth.signUpState', 'auth.zones'],
  'accounts and tools': [
    'journey.byUser',
    'journey.sessions',
    'keys.state',
    'stats.overview',
    'stats.pulse',
    'stats.site',
    'system.overview',
    'system.status',
    'users.get',
    'users.giveBack',
    'users.list',
  ],
  owners: [
    'auth.invite',
    'auth.setUpSite',
    'keys.create',
    'system.deadLetters',
    'system.discardDeadLetters',
    'system.replayDeadLetters',
  ],
}

describe('who may ask what', () => {
  const account = { id: 'a', email: 'a@example.com', name: 'A' }
  const callers = {
    nobody: {},
    'a tool': { tool: 'warehouse' },
    'an analyst': { account: { ...account, role: 'analyst' } },
    'an owner': { account: { ...account, role: 'owner' } },
  }
  const { anybody, owners, 'accounts and tools': known } = mayAsk
  const allowed: Record<keyof typeof callers, readonly string[]> = {
    nobody: anybody,
    'a tool': [...anybody, ...known],
    'an analyst': [...anybody, ...known],
    'an owner': [...anybody, ...known, ...owners],
  }
  const names = Object.keys(appRouter._def.procedures)

  it('names every procedure once', () => {
    expect([...anybody, ...known, ...owners].sort()).toEqual([...names].sort())
  })

  it.each(Object.entries(callers))('lets %s ask that and no more', async (who, identity) => {
    const caller = createCaller({ account: null, tool: null, ...identity } as unknown as Context) as unknown as Caller
    const asked: string[] = []
    for (const name of names) {
      const [room = '', verb = ''] = name.split('.')
      // Without input and with nothing to answer from: whoever is let in fails otherwise.
      const code = await caller[room]![verb]!().then(
        () => 'answered',
        (error: TRPCError) => error.code,
      )
      if (code !== 'UNAUTHORIZED' && code !== 'FORBIDDEN') asked.push(name)
    }
    expect(asked.sort()).toEqual([...allowed[who as keyof typeof callers]].sort())
  })
})
