/** Where a login leads: only addresses of this server, never another host ("//host", "/\host") or the login itself. */
export function localPath(next: string | null | undefined): string {
  const home = '/dashboard'
  if (!next?.startsWith('/')) return home
  const base = 'http://local.invalid'
  let url: URL
  try {
    url = new URL(next, base)
  } catch {
    return home
  }
  // Dots fold away and can leave two slashes at the front, which name a host: "/.//host".
  if (url.origin !== base || url.pathname.startsWith('//')) return home
  if (/^\/(login|signup|logout)(\/|$)/.test(url.pathname)) return home
  return url.pathname + url.search
}

/** The login page that leads back to where the request wanted to go. */
export function loginAddress(request: Request): string {
  const url = new URL(request.url)
  const next = localPath(url.pathname.replace(/\.data$/, '') + url.search)
  return request.method === 'GET' && next !== '/dashboard' ? `/login?next=${encodeURIComponent(next)}` : '/login'
}
