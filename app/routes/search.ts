import type { LoaderFunctionArgs } from '@remix-run/node'
import { requireAccount } from '../accounts/visitor.server.ts'
import { ask } from '../errors/answers.server.ts'
import { cut } from '../format/cut.ts'

/** User ids that begin with ?q, the last active first, for the palette. */
export async function loader(args: LoaderFunctionArgs) {
  await requireAccount(args)
  const search = cut(new URL(args.request.url).searchParams.get('q')?.trim() ?? '', 256)
  if (!search) return { users: [] }
  const { users } = await ask(args, () => args.context.trpc.users.list({ search, pageSize: 6 }))
  return { users: users.map((user) => user.userId) }
}
