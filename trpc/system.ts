import { z } from 'zod'
import { ownerProcedure, procedure, router } from './init.ts'
import {
  deadLetter,
  deadLettersInput,
  discardInput,
  replayInput,
  replayOutcome,
  systemOverview,
  systemStatus,
} from './schema/system.ts'

/** Of a dead letter's event as it is listed: enough to see what is wrong with it. */
const MAX_TEXT = 4000

export const systemRouter = router({
  status: procedure.output(systemStatus).query(({ ctx }) => ctx.system.status()),

  overview: procedure.output(systemOverview).query(({ ctx }) => ctx.system.overview()),

  deadLetters: ownerProcedure
    .input(deadLettersInput)
    .output(z.array(deadLetter))
    .query(async ({ ctx, input }) => {
      const letters = await ctx.system.deadLetters.list(input.limit, input.after)
      return letters.map(({ id, place, at, reason, event, raw }) => ({
        id,
        place,
        at: new Date(at).toISOString(),
        reason,
        eventId: event?.eventId ?? null,
        userId: event?.userId ?? null,
        type: event?.type ?? null,
        text: (JSON.stringify(event ?? raw ?? null, null, 2) ?? '').slice(0, MAX_TEXT),
      }))
    }),

  /** Tries to store dead letters again; safe to repeat, since an event is stored once. */
  replayDeadLetters: ownerProcedure
    .input(replayInput)
    .output(replayOutcome)
    .mutation(({ ctx, input }) => ctx.system.deadLetters.replay(ctx.store, input.ids)),

  /** Forgets dead letters for good. */
  discardDeadLetters: ownerProcedure
    .input(discardInput)
    .output(z.object({ discarded: z.number().int().nonnegative() }))
    .mutation(async ({ ctx, input }) => ({ discarded: await ctx.system.deadLetters.discard(input.ids) })),
})
