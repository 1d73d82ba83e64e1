import type { LoaderFunctionArgs } from '@remix-run/node'
import { Outlet, useLoaderData } from '@remix-run/react'
import { requireAccount } from '../accounts/visitor.server.ts'
import { ask } from '../errors/answers.server.ts'
import { BareErrorPage } from '../errors/error-page.tsx'
import { learnClock } from '../format/time.ts'
import { Frame } from '../frame/frame.tsx'
import { type FrameData, useFrame } from '../frame/site.ts'
import { keepsLast, useKept } from '../freshness/kept.ts'

export async function loader(args: LoaderFunctionArgs): Promise<FrameData> {
  const account = await requireAccount(args)
  const { trpc } = args.context
  const [site, system] = await ask(args, () => Promise.all([trpc.stats.site(), trpc.system.status()]))
  return { account, site, system, now: new Date().toISOString() }
}

const routeId = 'routes/_frame'
const anywhere = () => ''
export const clientLoader = keepsLast(routeId, anywhere)

export default function FrameRoute() {
  // Sets the zone's clock before any child renders a time.
  learnClock(useFrame().site)
  useKept(routeId, anywhere(), useLoaderData<typeof loader>())
  return (
    <Frame>
      <Outlet />
    </Frame>
  )
}

export function ErrorBoundary() {
  return <BareErrorPage />
}
