import type { LoaderFunctionArgs } from '@remix-run/node'
import { redirect } from '@remix-run/node'
import { requireAccount } from '../accounts/visitor.server.ts'

export async function loader(args: LoaderFunctionArgs) {
  await requireAccount(args)
  return redirect('/dashboard')
}

/** Never rendered, but without a component this would not be a page, and errors of the loader would have no page. */
export default function Index() {
  return null
}
