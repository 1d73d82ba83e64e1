import type { RefObject } from 'react'
import { useEffect, useRef } from 'react'

/** After a refusal: passwords are typed anew, and the first field at fault has the focus. */
export function useRefused(refused: unknown): RefObject<HTMLFormElement> {
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    if (!refused || !form.current) return
    for (const field of form.current.querySelectorAll<HTMLInputElement>('[autocomplete$="-password"]')) field.value = ''
    form.current.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }, [refused])
  return form
}
