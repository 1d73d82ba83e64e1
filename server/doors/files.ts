import type { IncomingMessage, ServerResponse } from 'node:http'
import serveStatic from 'serve-static'
import { AppError } from '../errors.ts'

type Files = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void

/**
 * Files below a folder, with ETags and ranges, as they are on the disk at each request. `next` is for whatever is none of
 * them, or gets an AppError where a file cannot be opened. Files whose reader leaves are closed.
 */
export function createFiles(folder: string, cacheControl: (path: string) => string): Files {
  const serve = serveStatic(folder, {
    cacheControl: false,
    index: false,
    redirect: false,
    setHeaders: (res, path) => res.setHeader('cache-control', cacheControl(path.slice(folder.length))),
  })
  return (req, res, next) =>
    serve(req, res, (error?: unknown) => {
      if (error === undefined) return next()
      for (const name of ofTheFile) res.removeHeader(name)
      const { statusCode, headers } = error as { statusCode?: number; headers?: Record<string, string> }
      // What the request asked of the file cannot be had, such as a part behind its end.
      if (statusCode !== undefined && statusCode < 500) return void res.writeHead(statusCode, headers).end()
      next(
        new AppError('unavailable', 'This file cannot be read at the moment. Ask for it again.', {
          cause: error,
          retryAfterSeconds: 5,
        }),
      )
    })
}

const ofTheFile = [
  'accept-ranges',
  'cache-control',
  'content-length',
  'content-range',
  'content-type',
  'etag',
  'last-modified',
]
