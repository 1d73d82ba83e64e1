import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError } from '../errors.ts'
import { sendError } from '../ingest/answer.ts'
import { allowOrigin, sendPreflight } from '../ingest/cors.ts'
import type { QuestionDoors } from './questions.ts'

/** /events of a process with ROLE=web: 503, so that a client that came to the wrong process sends again. */
export function eventsElsewhere(req: IncomingMessage, res: ServerResponse): void {
  allowOrigin(req, res)
  if (req.method === 'OPTIONS') sendPreflight(req, res)
  else
    sendError(
      res,
      new AppError('unavailable', 'This process answers questions (ROLE=web); events go to the one with ROLE=ingest.', {
        retryAfterSeconds: 5,
      }),
    )
}

/** Everything but events and health of a process with ROLE=ingest: 404. */
function doorOfOtherRole(_req: IncomingMessage, res: ServerResponse): void {
  sendError(
    res,
    new AppError(
      'not_found',
      'This process takes events (ROLE=ingest); pages and procedures are on the one with ROLE=web.',
    ),
  )
}

export const doorsOfOtherRole: QuestionDoors = {
  trpc: doorOfOtherRole,
  rest: doorOfOtherRole,
  apiDocs: doorOfOtherRole,
  pages: doorOfOtherRole,
}
