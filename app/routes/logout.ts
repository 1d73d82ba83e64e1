import type { ActionFunctionArgs } from '@remix-run/node'
import { redirect } from '@remix-run/node'
import { ask } from '../errors/answers.server.ts'

/** Ends the session; signOut sets the header that clears the cookie. */
export async function action(args: ActionFunctionArgs) {
  await ask(args, () => args.context.trpc.auth.signOut())
  return redirect('/login')
}

/** A GET request does not log out, since it must not change anything. */
export function loader() {
  return redirect('/dashboard')
}
