import { useRouteLoaderData } from '@remix-run/react'
import type { Theme } from './theme.ts'

/** What every page knows of the request that made it. */
export interface RootData {
  theme: Theme
  version: string
  host: string
  reference: string
  now: string
}

/** Undefined when not even that could be loaded. */
export function useRoot(): RootData | undefined {
  return useRouteLoaderData('root') as RootData | undefined
}
