import type { IncomingMessage } from 'node:http'

/** The REST addresses; two of them are pages as well, for clients whose Accept names text/html. */
const restPath = /^\/(stats|users\/[^/]+(\/sessions)?|api\/auth\/.+)\/?$/
const restOrPagePath = /^\/users(\/[^/]+\/journey)?\/?$/

export function isRestRequest(req: IncomingMessage, path: string): boolean {
  if (restPath.test(path)) return true
  return restOrPagePath.test(path) && !(req.headers.accept ?? '').includes('text/html')
}
