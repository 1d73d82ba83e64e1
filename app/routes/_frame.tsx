import type { LoaderFunctionArgs } from '@remix-run/node'
import { Outlet } from '@remix-run/react'
import { requireAccount } from '../accounts/visitor.server.ts'
import { ask } from '../errors/answers.server.ts'
import { BareErrorPage } from '../errors/error-page.tsx'
import { Frame } from '../frame/frame.tsx'
import type { FrameData } from '../frame/site.ts'

export async function loader(args: LoaderFunctionArgs): Promise<FrameData> {
  const account = await requireAccount(args)
  const site = await ask(args, () => args.context.trpc.stats.site())
  return { account, site, now: new Date().toISOString() }
}

export default function FrameRoute() {
  return (
    <Frame>
      <Outlet />
    </Frame>
  )
}

export function ErrorBoundary() {
  return <BareErrorPage />
}
