import type { IncomingMessage } from 'node:http'

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

export interface OriginSettings {
  publicUrl: string | undefined
  trustProxy: boolean
}

/**
 * Why a request that may change something is taken for one of another site's page; null when it is not. Browsers name
 * the origin on every such request; tools send none and have no login cookie to steal. A proxy in front may change the
 * Host: then the browser's own word counts (Sec-Fetch-Site, which no page can set), PUBLIC_URL, and what a trusted proxy
 * says the host was.
 */
export function foreignOrigin(req: IncomingMessage, { publicUrl, trustProxy }: OriginSettings): string | null {
  if (safeMethods.has(req.method ?? 'GET')) return null
  const { origin, host } = req.headers
  const site = req.headers['sec-fetch-site']
  if (site === 'same-origin') return null
  if (origin === undefined) return site === 'cross-site' ? 'This request came from a page of another site.' : null
  if (publicUrl !== undefined && origin === new URL(publicUrl).origin) return null
  const hosts = [host, trustProxy ? firstOf(req.headers['x-forwarded-host']) : undefined]
  if (URL.canParse(origin) && hosts.includes(new URL(origin).host)) return null
  return `This request came from a page of another site: of ${origin.slice(0, 100)}, and this server is asked as ${(host ?? 'no host').slice(0, 100)}. If that page is this server's own, a proxy in front changes the Host header: let it pass the header on, or set PUBLIC_URL to the address that people use.`
}

function firstOf(header: string | string[] | undefined): string | undefined {
  return (Array.isArray(header) ? header[0] : header)?.split(',', 1)[0]?.trim()
}
