import type { AppLoadContext } from '@remix-run/node'
import type { Pulse } from '../../trpc/schema/stats.ts'
import { requireAccount } from '../accounts/visitor.server.ts'
import { ask } from '../errors/answers.server.ts'

/**
 * The mark that useLive compares, for logged-in accounts. Call it before loading the figures of a page: these may then
 * be newer than the mark, but never older.
 */
export async function pulseOf(args: { request: Request; context: AppLoadContext }): Promise<Pulse> {
  await requireAccount(args)
  return ask(args, () => args.context.trpc.stats.pulse())
}
