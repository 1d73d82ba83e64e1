import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { data } from '@remix-run/node'
import { requireAccount } from '../accounts/visitor.server.ts'
import { FramedError } from '../frame/framed-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Page not found · Veritas' }]

/** Answers 404 for every address without a page. */
export async function loader(args: LoaderFunctionArgs) {
  await requireAccount(args)
  throw data({ message: null, reference: null, at: null }, { status: 404 })
}

export default function NoPage() {
  return null
}

export function ErrorBoundary() {
  return <FramedError />
}
