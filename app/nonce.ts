import { createContext, useContext } from 'react'

/**
 * Nonce for inline scripts in the Content-Security-Policy. It is empty in the browser: browsers hide the nonce
 * attribute from scripts after parsing, and hydration compares with that.
 */
export const NonceContext = createContext('')

export function useNonce(): string {
  return useContext(NonceContext)
}
