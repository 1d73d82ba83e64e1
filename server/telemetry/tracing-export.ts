import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import type { Resource } from '@opentelemetry/resources'
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base'
import { inTime, withSlash } from './metrics/exporter.ts'

export interface TracingSettings {
  /** Of the requests for pages and figures, 0 to 1. above 0. */
  share: number
  otlpUrl: string
}

export interface Tracing {
  close(): Promise<void>
}

/**
 * Sends traces of a share of the requests. What decides is a request's own root: a traceparent that comes with it is not
 * believed, since anybody could send one.
 */
export function startTracing({ share, otlpUrl }: TracingSettings, resource: Resource): Tracing {
  const exporter = new OTLPTraceExporter({ url: new URL('v1/traces', withSlash(otlpUrl)).href })
  const provider = new BasicTracerProvider({
    resource,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(provider)
  return {
    async close() {
      await inTime(provider.shutdown())
      trace.disable()
      context.disable()
    },
  }
}
