import type { Authenticator } from 'remix-auth'
import type { Caller } from '../trpc/router.ts'
import type { Account } from '../trpc/schema/account.ts'

declare module '@remix-run/node' {
  /** What the server hands to every loader and action (server/context.ts makes it). */
  interface AppLoadContext {
    /** The router's procedures, called in process with this request's login. */
    trpc: Caller
    /** Strategies "login" and "sign-up" read the posted form; they throw { code, message, field? } when refused. */
    authenticator: Authenticator<{ account: Account; cookie: string }>
    /** Names this request in the log; shown as the reference of an error page. */
    requestId: string
    /** For the Content-Security-Policy: every inline script carries it. */
    nonce: string
    version: string
    log: {
      debug(fields: object, message: string): void
      error(fields: object, message: string): void
    }
  }
}
