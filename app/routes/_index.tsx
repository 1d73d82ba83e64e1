import type { LoaderFunctionArgs } from '@remix-run/node'
import { redirect } from '@remix-run/node'
import { requireAccount } from '../accounts/visitor.server.ts'

export async function loader(args: LoaderFunctionArgs) {
  await requireAccount(args)
  return redirect('/dashboard')
}
