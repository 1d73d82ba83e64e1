import type { LoaderFunctionArgs } from '@remix-run/node'
import { redirect } from '@remix-run/node'
import { requireAccount } from '../accounts/visitor.server.ts'

export async function loader(args: LoaderFunctionArgs) {
  await requireAccount(args)
  return redirect('/dashboard')
}

/** Never drawn: it makes this a page, so that a failure of the loader is shown as one. */
export default function Index() {
  return null
}
