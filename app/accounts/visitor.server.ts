import type { AppLoadContext } from '@remix-run/node'
import { redirect, redirectDocument } from '@remix-run/node'
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

/**
 * For a file that is downloaded: a browser is led to the login, and from there to the page that links to the file; a
 * program is told so, and must not keep a login page for the file.
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

/** For pages that are only for people who are not logged in. */
export async function leaveWhenLoggedIn(asker: Asker, to: string): Promise<void> {
  const { user } = await ask(asker, () => asker.context.trpc.auth.session())
  // Whole: not every page of this server is one of the browser's router.
  if (user) throw redirectDocument(to)
}
