import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { AppError } from '../errors.ts'
import { shapeOf } from '../ingest/nesting.ts'
import { hasBody, type ReadSmallBody } from './small-bodies.ts'

const MAX_NESTING = 32
const bounds = { depth: MAX_NESTING, events: Number.POSITIVE_INFINITY, values: Number.POSITIVE_INFINITY }

/**
 * The object of a JSON body, empty where there is no body. Throws AppError unsupported_media, too_large, timeout or
 * invalid_input with what is wrong.
 */
export async function readJsonObject(req: IncomingMessage, read: ReadSmallBody): Promise<object> {
  if (!hasBody(req)) return {}
  assertJson(req)
  const body = await read(req)
  if (!isUtf8(body)) throw new AppError('invalid_input', 'The body is not valid UTF-8.')
  if (shapeOf(body, bounds).over === 'depth')
    throw new AppError('invalid_input', `The body nests deeper than ${MAX_NESTING} levels.`)
  const value = parse(body.toString('utf8'))
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AppError('invalid_input', 'The body must be a JSON object.')
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new AppError('invalid_input', 'The body is not valid JSON.')
  }
}

/** Throws AppError unsupported_media for what is not said to be JSON. */
export function assertJson({ headers }: IncomingMessage): void {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json')
    throw new AppError('unsupported_media', 'Send the body as JSON, with "Content-Type: application/json".')
}
