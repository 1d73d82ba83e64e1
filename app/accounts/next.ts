/** Where a login leads by itself. */
const home = '/dashboard'
/** The pages there are. What a script or a download asks for is none, and a login must not end on it. */
const pages = /^\/(dashboard|users|users\/[^/]+\/journey|system|api-docs)\/?$/

/** Where a login leads: only to pages of this server, never to another host ("//host", "/\\host") or the login itself. */
export function localPath(next: string | null | undefined): string {
  if (!next?.startsWith('/')) return home
  const base = 'http://local.invalid'
  let url: URL
  try {
    url = new URL(next, base)
  } catch {
    return home
  }
  // A file is of the page that links to it.
  const path = url.pathname.replace(/^\/(dashboard|users)\.csv$/, '/$1')
  // Dots fold away and can leave two slashes at the front, which name a host: "/.//host".
  if (url.origin !== base || !pages.test(path)) return home
  return path + url.search
}

/** The login page that leads back to where the request wanted to go. */
export function loginAddress(request: Request): string {
  const url = new URL(request.url)
  const next = localPath(url.pathname.replace(/\.data$/, '') + url.search)
  const to = new URLSearchParams(request.method === 'GET' && next !== home ? { next } : {})
  // Whoever comes with the cookie of a login had one.
  if (/\bveritas_session=[^;\s]/.test(request.headers.get('Cookie') ?? '')) to.set('ended', '')
  return to.size > 0 ? `/login?${to}` : '/login'
}
