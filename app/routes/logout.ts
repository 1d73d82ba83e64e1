import type { ActionFunctionArgs } from '@remix-run/node'
import { redirect } from '@remix-run/node'
import { ask } from '../errors/answers.server.ts'

/** The server forgets the login and adds the cookie that clears it to this answer. */
export async function action(args: ActionFunctionArgs) {
  await ask(args, () => args.context.trpc.auth.signOut())
  return redirect('/login')
}

/** Logging out changes something, so an address alone does not do it. */
export function loader() {
  return redirect('/dashboard')
}
