import { SpanKind } from '@opentelemetry/api'
import type { ServerBuild } from '@remix-run/node'
import { inSpan, isTraced } from '../telemetry/tracing.ts'

type Routes = ServerBuild['routes']
type Route = NonNullable<Routes[string]>
type Work = (...args: never[]) => unknown

/** The address of every page as a template: "/users/:userId/journey". */
export function pagePatterns(routes: Routes): string[] {
  const patternOf = (route: Route): string => {
    const parent = route.parentId === undefined ? undefined : routes[route.parentId]
    const above = parent ? patternOf(parent) : ''
    return route.path ? `${above}/${route.path}` : above
  }
  return Object.values(routes).map((route) => (route ? patternOf(route) : '') || '/')
}

/** The same build whose loaders and actions are spans of the requests that are traced. */
export function traceLoaders(build: ServerBuild): ServerBuild {
  const routes = Object.fromEntries(
    Object.entries(build.routes).map(([id, route]) => [id, route && { ...route, module: traced(id, route.module) }]),
  )
  return { ...build, routes }
}

function traced(id: string, module: Route['module']): Route['module'] {
  const { loader, action } = module
  return {
    ...module,
    ...(loader && { loader: asSpan(`loader ${id}`, loader) }),
    ...(action && { action: asSpan(`action ${id}`, action) }),
  }
}

function asSpan<Fn extends Work>(name: string, work: Fn): Fn {
  const run = (...args: Parameters<Fn>) =>
    isTraced() ? inSpan(name, { kind: SpanKind.INTERNAL }, async () => work(...args)) : work(...args)
  return Object.assign(run, work) as unknown as Fn
}
