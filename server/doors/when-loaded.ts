import type { Doors } from '../http.ts'

/** The doors of people and tools. */
export type QuestionDoors = Omit<Doors, 'ingest' | 'health'>

/**
 * The same doors while what is behind them is still being loaded, which takes longer than all that events need: who
 * comes early waits a moment.
 */
export function whenLoaded(load: () => Promise<QuestionDoors>): QuestionDoors {
  return {
    trpc: async (req, res) => (await load()).trpc(req, res),
    rest: async (req, res) => (await load()).rest(req, res),
    apiDocs: async (req, res, path) => (await load()).apiDocs(req, res, path),
    pages: async (req, res) => (await load()).pages(req, res),
  }
}
