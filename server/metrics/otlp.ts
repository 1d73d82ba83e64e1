import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { type Exported, type ExportParts, inTime, providerOf, withSlash } from './exporter.ts'

/** Sends the metrics to a collector, and once more at the end. */
export function sendMetrics(
  { otlpUrl, intervalMs }: { otlpUrl: string; intervalMs: number },
  parts: ExportParts,
): Exported {
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url: new URL('v1/metrics', withSlash(otlpUrl)).href }),
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: Math.min(intervalMs, 10_000),
    metricProducers: [parts.histograms],
  })
  const provider = providerOf(reader, parts)
  return { close: () => inTime(provider.shutdown()) }
}
