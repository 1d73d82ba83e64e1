import { useRouteLoaderData } from '@remix-run/react'
import type { Account } from '../../trpc/schema/account.ts'
import type { SiteToday } from '../../trpc/schema/stats.ts'

/** The account, the shop and its day, which every page inside the frame may use. */
export interface FrameData {
  account: Account
  site: SiteToday
  now: string
}

export function useFrame(): FrameData {
  const frame = useRouteLoaderData('routes/_frame')
  if (!frame) throw new Error('useFrame is for pages inside the frame.')
  return frame as FrameData
}
