import type { Authenticator } from 'remix-auth'
import type { Caller } from '../trpc/router.ts'
import type { Account } from '../trpc/schema/account.ts'

declare module '@remix-run/node' {
  /** The load context that the server passes to every loader and action; built by server/context.ts. */
  interface AppLoadContext {
    /** Calls tRPC procedures in process, with the login of this request. */
    trpc: Caller
    /** Strategies "login" and "sign-up" read the posted form; they throw { code, message, field? } when refused. */
    authenticator: Authenticator<{ account: Account; cookie: string }>
    /** Identifies this request in the log; error pages show it as the reference. */
    requestId: string
    /** Nonce of the Content-Security-Policy, required on every inline script. */
    nonce: string
    version: string
    log: {
      debug(fields: object, message: string): void
      error(fields: object, message: string): void
    }
  }
}
