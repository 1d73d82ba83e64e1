/** Names the route of a path, as a template: a raw path would make a series of each user's id. */
export type RouteOf = (path: string) => string

export interface KnownRoutes {
  /** Of the pages: "/users/:userId/journey". */
  pages: readonly string[]
  /** Of the REST addresses: "/users/{userId}/journey". */
  rest: readonly string[]
  /** Of the router: "journey.byUser". */
  procedures: readonly string[]
}

const fixed = new Set(['/health', '/health/live', '/health/ready', '/api-docs.json'])
/** What strangers ask for (/wp-login.php) is one route. */
const OTHER = 'other'

/** The route of any path that is not /events. Pages and REST addresses are written alike: "/users/{userId}/journey". */
export function createRoutes({ pages, rest, procedures }: KnownRoutes): RouteOf {
  const known = new Set(procedures)
  const templates = [...new Set([...pages, ...rest].map(withBraces))]
    .filter((template) => !template.includes('*'))
    // A fixed word wins over a parameter in its place.
    .sort((a, b) => parameters(a) - parameters(b))
    .map((template) => ({ template, parts: template.split('/') }))

  return (path) => {
    if (fixed.has(path)) return path
    if (path.startsWith('/api-docs')) return '/api-docs'
    if (path.startsWith('/assets/')) return '/assets/{file}'
    if (path.startsWith('/trpc/')) {
      const name = path.slice('/trpc/'.length)
      if (name.includes(',')) return '/trpc/{several}'
      return known.has(name) ? path : '/trpc/{unknown}'
    }
    const parts = (path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path).split('/')
    return templates.find((candidate) => fits(candidate.parts, parts))?.template ?? OTHER
  }
}

function fits(template: readonly string[], path: readonly string[]): boolean {
  return (
    template.length === path.length &&
    template.every((part, index) => part === path[index] || (part.startsWith('{') && path[index] !== ''))
  )
}

function withBraces(template: string): string {
  const braced = template.replace(/:(\w+)/g, '{$1}')
  return braced.length > 1 && braced.endsWith('/') ? braced.slice(0, -1) : braced
}

function parameters(template: string): number {
  return template.split('{').length
}
