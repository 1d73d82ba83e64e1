import type { RefObject } from 'react'
import { useEffect, useMemo, useRef } from 'react'
import { isUnsent } from '../freshness/sending.ts'
import type { Refused } from './posted.server.ts'

export interface Posted {
  refused: unknown
  errors: Record<string, string>
  values: Record<string, string>
}

/** The result of a submitted form: none yet, rejected with errors per field, or never received by the server. */
export function usePosted(result: unknown): Posted {
  return useMemo(() => {
    if (isUnsent(result)) return { refused: undefined, errors: { form: result.unsent }, values: {} }
    const { errors = {}, values = {} } = (result ?? {}) as Partial<Refused>
    return { refused: result, errors, values }
  }, [result])
}

/** After a rejection, empties the password fields and focuses the first invalid field. */
export function useRefused(refused: unknown): RefObject<HTMLFormElement> {
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    if (!refused || !form.current) return
    for (const field of form.current.querySelectorAll<HTMLInputElement>('[autocomplete$="-password"]')) field.value = ''
    form.current.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }, [refused])
  return form
}
