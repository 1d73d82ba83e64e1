import { useRouteLoaderData } from '@remix-run/react'
import type { Account } from '../../trpc/schema/account.ts'
import type { SiteToday } from '../../trpc/schema/stats.ts'
import type { SystemStatus } from '../../trpc/schema/system.ts'

/** The account, the shop and its day, and whether every event is accounted for, which every page inside the frame may use. */
export interface FrameData {
  account: Account
  site: SiteToday
  system: SystemStatus
  now: string
}

export function useFrame(): FrameData {
  const frame = useRouteLoaderData('routes/_frame')
  if (!frame) throw new Error('useFrame is for pages inside the frame.')
  return frame as FrameData
}
