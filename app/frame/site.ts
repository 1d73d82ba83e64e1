import { useRouteLoaderData } from '@remix-run/react'
import type { Account } from '../../trpc/schema/account.ts'
import type { SiteToday } from '../../trpc/schema/stats.ts'
import type { SystemStatus } from '../../trpc/schema/system.ts'

/** Data for every page inside the frame: the account, the shop and its current day, and the state of its events. */
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
