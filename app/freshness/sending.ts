import type { ClientActionFunctionArgs } from '@remix-run/react'
import { type Away, awayOf } from './away.ts'

/** The result of a form that the server did not answer or could not process. */
export interface Unsent {
  unsent: string
}

export function isUnsent(result: unknown): result is Unsent {
  return typeof result === 'object' && result !== null && 'unsent' in result
}

/** A clientAction: if sending the form fails, the page and its input stay, with an error message. */
export async function sends({ serverAction }: ClientActionFunctionArgs): Promise<unknown> {
  try {
    return await serverAction()
  } catch (error) {
    const away = awayOf(error)
    if (away === null) throw error
    return { unsent: words[away] } satisfies Unsent
  }
}

const words: Record<Away, string> = {
  server: 'The server does not answer. Nothing was changed; try again.',
  store: 'The database of this server does not answer. Try again in a moment.',
  page: 'Something failed on the server, and it was logged. Try again.',
}
