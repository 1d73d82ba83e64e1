import { z } from 'zod'
import { ownerProcedure, procedure, router } from './init.ts'
import { newKeyInput } from './schema/account.ts'

export const keysRouter = router({
  /** Whether events are taken only with a write key. */
  state: procedure
    .output(z.object({ required: z.boolean() }))
    .query(({ ctx }) => ({ required: ctx.writeKeys.required })),

  /** The text of a new write key, which nobody can ask for again. */
  create: ownerProcedure
    .input(newKeyInput)
    .output(z.object({ key: z.string() }))
    .mutation(async ({ ctx, input }) => ({ key: await ctx.writeKeys.create(input) })),
})
