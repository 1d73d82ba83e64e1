import { createTRPCClient, httpBatchLink } from '@trpc/client'
import { maxBatchSize } from './batch.ts'
import type { AppRouter } from './router.ts'

/**
 * A typed client for tools: `createVeritasClient({ url: 'http://localhost:3000', token: 'vt_…' })`. In the browser
 * leave both out: the page's own origin and login are used.
 */
export function createVeritasClient({ url = '', token }: { url?: string; token?: string } = {}) {
  return createTRPCClient<AppRouter>({
    links: [
      httpBatchLink({
        url: `${url}/trpc`,
        headers: token ? { authorization: `Bearer ${token}` } : {},
        // A journey of a few long ids must not overflow what proxies allow in a URL.
        maxURLLength: 4000,
        maxItems: maxBatchSize,
      }),
    ],
  })
}
