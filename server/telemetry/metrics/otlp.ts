import { AggregationTemporalityPreference, OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { emptyResource } from '@opentelemetry/resources'
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { type Exported, type ExportParts, inTime, providerOf, withSlash } from './exporter.ts'

/**
 * Sends the metrics to a collector, and once more at the end. The essential ones say by how much counters grew, and
 * nothing of who sends them: whoever bills series by what tells them apart then has the same few for all processes and
 * after each restart, and what a process found at its start is growth like any other.
 */
export function sendMetrics(
  { otlpUrl, intervalMs }: { otlpUrl: string; intervalMs: number },
  parts: ExportParts,
): Exported {
  const isEssential = parts.set === 'essential'
  const { DELTA, CUMULATIVE } = AggregationTemporalityPreference
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({
      url: new URL('v1/metrics', withSlash(otlpUrl)).href,
      temporalityPreference: isEssential ? DELTA : CUMULATIVE,
    }),
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: Math.min(intervalMs, 10_000),
    metricProducers: [parts.histograms],
  })
  const provider = providerOf(reader, isEssential ? { ...parts, resource: emptyResource() } : parts)
  return { close: () => inTime(provider.shutdown()) }
}
