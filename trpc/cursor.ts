import type { z } from 'zod'
import { AppError } from '../server/errors.ts'

/** A place in a list as an opaque, URL-safe text. */
export function encodeCursor(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** The place a client sent back; a text that we did not make is the client's error. */
export function decodeCursor<T>(schema: z.ZodType<T>, cursor: string): T {
  try {
    const parsed = schema.safeParse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
    if (parsed.success) return parsed.data
  } catch {
    // Not JSON: falls through to the one refusal.
  }
  throw new AppError(
    'invalid_input',
    'cursor is not one that an earlier answer gave; leave it out to start at the beginning.',
    {
      field: 'cursor',
    },
  )
}
