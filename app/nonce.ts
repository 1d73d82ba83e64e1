import { createContext, useContext } from 'react'

/**
 * The Content-Security-Policy's nonce for inline scripts. Browsers hide it from scripts once the page is parsed, so
 * in the browser it is empty, and that is what hydration compares with.
 */
export const NonceContext = createContext('')

export function useNonce(): string {
  return useContext(NonceContext)
}
