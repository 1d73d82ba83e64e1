/** What an error page may show. `message` is null for internal errors, which have a reference instead. */
export interface PageError {
  message: string | null
  reference: string | null
  at: string | null
  /** Only set in the browser, when no answer came. */
  away?: 'server'
}

export function isPageError(value: unknown): value is PageError {
  return typeof value === 'object' && value !== null && 'message' in value && 'reference' in value
}
