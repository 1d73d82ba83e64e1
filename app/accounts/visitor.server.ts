import type { AppLoadContext } from '@remix-run/node'
import { redirect, redirectDocument } from '@remix-run/node'
import type { Account } from '../../trpc/schema/account.ts'
import { ask } from '../errors/answers.server.ts'
import { loginAddress } from './next.ts'

interface Asker {
  request: Request
  context: AppLoadContext
}

/** The logged-in account. Otherwise throws a redirect to the login, or to the setup if no account exists yet. */
export async function requireAccount(asker: Asker): Promise<Account> {
  const { user } = await ask(asker, () => asker.context.trpc.auth.session())
  if (user) return user
  const { needsOwner } = await ask(asker, () => asker.context.trpc.auth.signUpState({}))
  throw redirect(needsOwner ? '/signup' : loginAddress(asker.request))
}

/**
 * Requires a login for a file download. A browser is redirected to the login and from there to the page that links to
 * the file. Other clients get a 401, so that they do not save a login page as the file.
 */
export async function requireReader(asker: Asker): Promise<void> {
  const { user } = await ask(asker, () => asker.context.trpc.auth.session())
  if (user) return
  if ((asker.request.headers.get('Accept') ?? '').includes('text/html')) throw redirect(loginAddress(asker.request))
  throw new Response('Log in first: this file is for people who are logged in.\n', {
    status: 401,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'private, no-store' },
  })
}

/** For pages that only make sense without a login: redirects to `to` if somebody is logged in. */
export async function leaveWhenLoggedIn(asker: Asker, to: string): Promise<void> {
  const { user } = await ask(asker, () => asker.context.trpc.auth.session())
  // Reload the whole document: `to` may be a page outside Remix, such as the API docs.
  if (user) throw redirectDocument(to)
}
