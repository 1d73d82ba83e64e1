/** Every expected failure has a code; one map leads from it to HTTP and tRPC. */
export const errorStatus = {
  invalid_input: { status: 400, trpc: 'BAD_REQUEST' },
  unauthenticated: { status: 401, trpc: 'UNAUTHORIZED' },
  forbidden: { status: 403, trpc: 'FORBIDDEN' },
  not_found: { status: 404, trpc: 'NOT_FOUND' },
  method_not_allowed: { status: 405, trpc: 'METHOD_NOT_SUPPORTED' },
  timeout: { status: 408, trpc: 'TIMEOUT' },
  conflict: { status: 409, trpc: 'CONFLICT' },
  too_large: { status: 413, trpc: 'PAYLOAD_TOO_LARGE' },
  unsupported_media: { status: 415, trpc: 'UNSUPPORTED_MEDIA_TYPE' },
  unprocessable: { status: 422, trpc: 'UNPROCESSABLE_CONTENT' },
  rate_limited: { status: 429, trpc: 'TOO_MANY_REQUESTS' },
  internal: { status: 500, trpc: 'INTERNAL_SERVER_ERROR' },
  unavailable: { status: 503, trpc: 'SERVICE_UNAVAILABLE' },
} as const

export type ErrorCode = keyof typeof errorStatus

/**
 * A failure whose message is meant for the client. `field` names the input at fault, `retryAfterSeconds` says when
 * to come back. The cause stays in the log.
 */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly field: string | undefined
  readonly retryAfterSeconds: number | undefined
  /** What was asked for may itself be what ended whoever worked on it, so that asking again may do the same again. */
  readonly suspectsInput: boolean
  /** Of one that is unavailable: the message is no inner matter of the store, and may be told. */
  readonly isForClients: boolean

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      field?: string
      retryAfterSeconds?: number
      cause?: unknown
      suspectsInput?: boolean
      isForClients?: boolean
    } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.field = options.field
    this.retryAfterSeconds = options.retryAfterSeconds
    this.suspectsInput = options.suspectsInput ?? false
    this.isForClients = options.isForClients ?? code !== 'unavailable'
  }

  get status(): number {
    return errorStatus[this.code].status
  }
}
