import { type Span, SpanKind, type SpanOptions, SpanStatusCode, trace } from '@opentelemetry/api'

const tracer = trace.getTracer('veritas')

/** Runs something as a span. Of an error only its kind is told: its text may name people. */
export function inSpan<T>(name: string, options: SpanOptions, run: (span: Span) => Promise<T>): Promise<T> {
  return tracer.startActiveSpan(name, options, async (span) => {
    try {
      return await run(span)
    } catch (error) {
      span.setAttribute('error.type', errorType(error))
      span.setStatus({ code: SpanStatusCode.ERROR })
      throw error
    } finally {
      span.end()
    }
  })
}

/** A request as the root of its trace. */
export function inRequestSpan(
  method: string,
  route: string,
  res: { statusCode: number },
  run: () => Promise<unknown>,
): Promise<unknown> {
  const attributes = { 'http.request.method': method, 'http.route': route }
  return inSpan(`${method} ${route}`, { kind: SpanKind.SERVER, attributes, root: true }, async (span) => {
    try {
      return await run()
    } finally {
      span.setAttribute('http.response.status_code', res.statusCode)
      if (res.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    }
  })
}

/** Whether this runs in the course of a request that has a span. */
export function isTraced(): boolean {
  return trace.getActiveSpan() !== undefined
}

/** The code of our own errors, the name of others. */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : error.name
}
