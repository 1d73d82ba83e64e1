import { createRoutes, type RouteOf } from '../telemetry/metrics/routes.ts'
import type { QuestionDoors, QuestionParts } from './questions.ts'

export interface LaterDoors {
  doors: QuestionDoors
  /** Names no page before they are loaded. */
  routeOf: RouteOf
  load(): Promise<QuestionDoors>
}

/**
 * The same doors while what is behind them is still being loaded, which takes longer than all that events need: who
 * comes early waits a moment.
 */
export function createLaterDoors({
  assertReady,
  ...parts
}: QuestionParts & {
  /** Throws while the store's figures are not to be shown. */
  assertReady: () => void
}): LaterDoors {
  let loading: Promise<QuestionDoors> | null = null
  let routeOf = createRoutes({ pages: [], rest: [], procedures: [] })

  async function loadOnce(): Promise<QuestionDoors> {
    const { createQuestionDoors, questionRoutes } = await import('./questions.ts')
    routeOf = await questionRoutes(parts)
    return createQuestionDoors(parts)
  }
  function load(): Promise<QuestionDoors> {
    loading ??= loadOnce()
    return loading
  }

  function opened(): Promise<QuestionDoors> {
    assertReady()
    return load()
  }

  return {
    load,
    routeOf: (path) => routeOf(path),
    doors: {
      trpc: async (req, res) => (await opened()).trpc(req, res),
      rest: async (req, res) => (await opened()).rest(req, res),
      apiDocs: async (req, res, path) => (await load()).apiDocs(req, res, path),
      pages: async (req, res, refusal) => (await opened()).pages(req, res, refusal),
    },
  }
}
