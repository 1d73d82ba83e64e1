/** Where a login leads when no other page was asked for. */
const home = '/dashboard'
/** Pages a login may lead to. Addresses that only scripts or downloads request are not among them. */
const pages = /^\/(dashboard|users|users\/[^/]+\/journey|system|api-docs)\/?$/

/** Where to go after login. Only pages of this server: never another host ("//host", "/\\host") or the login itself. */
export function localPath(next: string | null | undefined): string {
  if (!next?.startsWith('/')) return home
  const base = 'http://local.invalid'
  let url: URL
  try {
    url = new URL(next, base)
  } catch {
    return home
  }
  // A CSV file is linked from the page of the same name, so go to that page.
  const path = url.pathname.replace(/^\/(dashboard|users)\.csv$/, '/$1')
  // The URL parser removes dot segments, which can leave two leading slashes and thus name a host: "/.//host".
  if (url.origin !== base || !pages.test(path)) return home
  return path + url.search
}

/** The login page's address, with the page to return to afterwards. */
export function loginAddress(request: Request): string {
  const url = new URL(request.url)
  const next = localPath(url.pathname.replace(/\.data$/, '') + url.search)
  const to = new URLSearchParams(request.method === 'GET' && next !== home ? { next } : {})
  // A request with a session cookie was logged in before, so the login page says that the session has ended.
  if (/\bveritas_session=[^;\s]/.test(request.headers.get('Cookie') ?? '')) to.set('ended', '')
  return to.size > 0 ? `/login?${to}` : '/login'
}
