import type { AppLoadContext } from '@remix-run/node'
import { redirect } from '@remix-run/node'
import type { Account } from '../../trpc/schema/account.ts'
import { ask } from '../errors/answers.server.ts'
import { loginAddress } from './next.ts'

interface Asker {
  request: Request
  context: AppLoadContext
}

/** The account that is logged in; otherwise leads to the login, or to the set-up where nobody owns the server yet. */
export async function requireAccount(asker: Asker): Promise<Account> {
  const { user } = await ask(asker, () => asker.context.trpc.auth.session())
  if (user) return user
  const { needsOwner } = await ask(asker, () => asker.context.trpc.auth.signUpState({}))
  throw redirect(needsOwner ? '/signup' : loginAddress(asker.request))
}

/** For pages that are only for people who are not logged in. */
export async function leaveWhenLoggedIn(asker: Asker, to: string): Promise<void> {
  const { user } = await ask(asker, () => asker.context.trpc.auth.session())
  if (user) throw redirect(to)
}
