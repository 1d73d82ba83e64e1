import type { IncomingMessage, ServerResponse } from 'node:http'
import compression from 'compression'

/** From now on the answer is compressed, if the client can read it and its kind gains by it. */
export const compress = compression() as unknown as (
  req: IncomingMessage,
  res: ServerResponse,
  next: () => void,
) => void
