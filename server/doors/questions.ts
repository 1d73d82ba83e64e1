import type { CreateContext } from '../context.ts'
import type { Telemetry } from '../telemetry.ts'
import { createApiDocs } from './api-docs.ts'
import { createPages, type PagesParts } from './pages.ts'
import { createProcedureDoors } from './procedures.ts'
import type { QuestionDoors } from './when-loaded.ts'

type QuestionParts = PagesParts & { createContext: CreateContext; telemetry: Telemetry }

/** Everything that answers people and tools: procedures, their documentation, pages. */
export async function createQuestionDoors(parts: QuestionParts): Promise<QuestionDoors> {
  const { trpc, rest } = createProcedureDoors(parts.createContext, parts.telemetry)
  return { trpc, rest, apiDocs: createApiDocs(parts), pages: await createPages(parts) }
}
