import { useRouteLoaderData } from '@remix-run/react'
import type { Theme } from './theme.ts'

/** Data about the request, available on every page. */
export interface RootData {
  theme: Theme
  version: string
  host: string
  reference: string
  now: string
}

/** The root data; undefined if the root loader failed. */
export function useRoot(): RootData | undefined {
  return useRouteLoaderData('root') as RootData | undefined
}
