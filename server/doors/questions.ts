import { appRouter } from '../../trpc/router.ts'
import type { CreateContext } from '../context.ts'
import type { Doors } from '../http.ts'
import { createRoutes, type RouteOf } from '../telemetry/metrics/routes.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { createApiDocs } from './api-docs.ts'
import { createPages, type PagesParts, pageTemplates } from './pages.ts'
import { createProcedureDoors } from './procedures.ts'
import type { ReadSmallBody } from './small-bodies.ts'

/** The doors of people and tools. */
export type QuestionDoors = Omit<Doors, 'ingest' | 'health'>

export type QuestionParts = PagesParts & { createContext: CreateContext; telemetry: Telemetry; read: ReadSmallBody }

/** Everything that answers people and tools: procedures, their documentation, pages. */
export async function createQuestionDoors(parts: QuestionParts): Promise<QuestionDoors> {
  const { trpc, rest } = createProcedureDoors(parts.createContext, parts.telemetry, parts.read)
  return { trpc, rest, apiDocs: createApiDocs(parts), pages: await createPages(parts) }
}

/** Names the routes of these doors, for what is measured of them. */
export async function questionRoutes(parts: Pick<PagesParts, 'appBuildDir' | 'vite'>): Promise<RouteOf> {
  const procedures = appRouter._def.procedures as unknown as Record<
    string,
    { _def: { meta?: { openapi?: { path: string } } } }
  >
  return createRoutes({
    pages: await pageTemplates(parts),
    rest: Object.values(procedures).flatMap(({ _def }) => _def.meta?.openapi?.path ?? []),
    procedures: Object.keys(procedures),
  })
}
