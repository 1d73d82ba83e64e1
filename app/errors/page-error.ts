/** What a page that failed may say. message is null for failures of ours, which have a reference instead. */
export interface PageError {
  message: string | null
  reference: string | null
  at: string | null
  /** Set in the browser alone, where no answer came at all. */
  away?: 'server'
}

export function isPageError(value: unknown): value is PageError {
  return typeof value === 'object' && value !== null && 'message' in value && 'reference' in value
}
