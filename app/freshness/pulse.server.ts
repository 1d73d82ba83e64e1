import type { AppLoadContext } from '@remix-run/node'
import type { Pulse } from '../../trpc/schema/stats.ts'
import { requireAccount } from '../accounts/visitor.server.ts'
import { ask } from '../errors/answers.server.ts'

/**
 * What useLive compares with, for somebody who is logged in. Asked before the figures of a page: they may be newer than
 * its mark, and are never older.
 */
export async function pulseOf(args: { request: Request; context: AppLoadContext }): Promise<Pulse> {
  await requireAccount(args)
  return ask(args, () => args.context.trpc.stats.pulse())
}
