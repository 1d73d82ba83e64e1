import type { ActionFunctionArgs } from '@remix-run/node'
import { data } from '@remix-run/node'
import type { ReplayOutcome } from '../../trpc/schema/system.ts'
import { formOf, textsOf } from '../accounts/posted.server.ts'
import { ask } from '../errors/answers.server.ts'
import type { PageError } from '../errors/page-error.ts'
import { plural } from '../format/number.ts'

/** Runs the dead letter form's action (owner only) and returns the message to show. */
export async function answerLetters(args: ActionFunctionArgs): Promise<{ said: string }> {
  const { verb, id } = textsOf(await formOf(args.request))
  const { system } = args.context.trpc
  if (verb === 'replay') {
    return { said: saidOf(await ask(args, () => system.replayDeadLetters(id ? { ids: [id] } : {}))) }
  }
  if (verb === 'discard' && id) {
    const { discarded } = await ask(args, () => system.discardDeadLetters({ ids: [id] }))
    return { said: discarded === 0 ? 'It was gone already.' : '1 event was discarded.' }
  }
  const error: PageError = { message: 'Say what to do: retry or discard.', reference: null, at: null }
  throw data(error, { status: 400 })
}

function saidOf({ stored, duplicate, refused, failed, problem }: ReplayOutcome): string {
  const parts = [
    stored > 0 && `${plural(stored, 'event')} stored`,
    duplicate > 0 && `${plural(duplicate, 'event')} had been stored before`,
    refused > 0 && `${plural(refused, 'event')} refused again`,
    failed > 0 && `${plural(failed, 'event')} failed`,
  ].filter((part) => part !== false)
  if (parts.length === 0) return 'There was nothing to retry.'
  return `${parts.join(', ')}.${problem === null ? '' : ` ${problem}`}`
}
