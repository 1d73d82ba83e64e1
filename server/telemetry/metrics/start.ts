import { hostname } from 'node:os'
import type { MetricsSet } from './instruments.ts'
import { watchProcess } from './process.ts'
import { type ServerParts, serverSources } from './sources.ts'

export interface TelemetryExportSettings {
  metrics: {
    exporter: 'prometheus' | 'otlp' | 'none'
    /** Of the Prometheus exporter, on loopback: 0 for a free one, null for none. */
    port: number | null
    /** Where OTLP goes; /v1/metrics and /v1/traces are added. */
    otlpUrl: string
    /** How often metrics are sent by OTLP. */
    intervalMs: number
    set: MetricsSet
  }
  /** Share of the requests that are traced, 0 to 1. */
  traceShare: number
  stage: string
  role: string
  version: string
}

/**
 * Begins to show or send what this server measures and traces. What takes part is loaded only where the settings want
 * it, and a port that is taken or a collector that is away fails no start: figures about figures are not worth that.
 */
export async function startTelemetryExport(
  { metrics, traceShare, stage, role, version }: TelemetryExportSettings,
  parts: ServerParts,
): Promise<{ close(): Promise<void> }> {
  const { exporter, port, set } = metrics
  const hasMetrics = exporter === 'otlp' || (exporter === 'prometheus' && port !== null)
  if (!hasMetrics && traceShare === 0) return { close: async () => {} }
  const { resourceFromAttributes } = await import('@opentelemetry/resources')
  const { logDiagnostics } = await import('./exporter.ts')
  logDiagnostics(parts.telemetry.log)
  const resource = resourceFromAttributes({
    'service.name': 'veritas',
    'service.version': version,
    'service.instance.id': `${hostname()}-${process.pid}`,
    'deployment.environment.name': stage,
    'veritas.role': role,
  })

  async function exportMetrics() {
    const { measures, log } = parts.telemetry
    const { createHistogramProducer } = await import('./producer.ts')
    const watch = watchProcess(measures)
    const histograms = createHistogramProducer(measures, set, parts.now)
    const common = { resource, sources: [...serverSources(parts), watch.source], histograms, set, log }
    const exported =
      exporter === 'otlp'
        ? (await import('./otlp.ts')).sendMetrics(metrics, common)
        : await (await import('./prometheus.ts')).showToPrometheus(port ?? 0, common)
    return {
      async close() {
        await exported.close()
        watch.close()
      },
    }
  }

  async function exportTraces() {
    const { startTracing } = await import('../tracing-export.ts')
    return startTracing({ share: traceShare, otlpUrl: metrics.otlpUrl }, resource)
  }

  const exports = await Promise.all([hasMetrics ? exportMetrics() : null, traceShare > 0 ? exportTraces() : null])
  return {
    async close() {
      await Promise.all(exports.map((each) => each?.close()))
    },
  }
}
