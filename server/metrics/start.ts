import { hostname } from 'node:os'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { type MetricsSettings, startMetrics } from './exporter.ts'
import { watchProcess } from './process.ts'
import { createHistogramProducer } from './producer.ts'
import { type ServerParts, serverSources } from './sources.ts'

export interface TelemetryExportSettings {
  metrics: MetricsSettings
  /** Share of the requests that are traced, 0 to 1. */
  traceShare: number
  stage: string
  role: string
  version: string
}

/** Begins to show or send what this server measures and traces. Loaded once it listens: nothing waits for it. */
export async function startTelemetryExport(
  { metrics, traceShare, stage, role, version }: TelemetryExportSettings,
  parts: ServerParts,
): Promise<{ close(): Promise<void> }> {
  const resource = resourceFromAttributes({
    'service.name': 'veritas',
    'service.version': version,
    'service.instance.id': `${hostname()}-${process.pid}`,
    'deployment.environment.name': stage,
    'veritas.role': role,
  })
  const { measures, log } = parts.telemetry
  const watch = watchProcess(measures)
  const exported = await startMetrics(metrics, {
    resource,
    sources: [...serverSources(parts), watch.source],
    histograms: createHistogramProducer(measures, metrics.set, parts.now),
    log,
  })
  const tracing =
    traceShare > 0
      ? (await import('../tracing-export.ts')).startTracing({ share: traceShare, otlpUrl: metrics.otlpUrl }, resource)
      : null
  return {
    async close() {
      await Promise.all([exported.close(), tracing?.close()])
      watch.close()
    },
  }
}
