import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import type { Resource } from '@opentelemetry/resources'
import {
  MeterProvider,
  type MetricProducer,
  type MetricReader,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import type { Logger } from 'pino'
import { createInstruments, type MetricsSet, type Source } from './instruments.ts'

export interface MetricsSettings {
  exporter: 'prometheus' | 'otlp' | 'none'
  /** Of the Prometheus exporter, on loopback: 0 for a free one, null for none. */
  port: number | null
  /** Where OTLP goes; /v1/metrics and /v1/traces are added. */
  otlpUrl: string
  /** How often OTLP is sent. */
  intervalMs: number
  set: MetricsSet
}

export interface Metrics {
  /** Sends what is left, as far as it can within a moment. */
  close(): Promise<void>
}

const HOST = '127.0.0.1'
const PORT_RETRY_MS = 1000
const CLOSE_MS = 1500

/** Shows or sends what is measured, as the settings want it. Never fails a start: figures about figures are not worth that. */
export async function startMetrics(
  { exporter, port, otlpUrl, intervalMs, set }: MetricsSettings,
  {
    resource,
    sources,
    histograms,
    log,
  }: { resource: Resource; sources: Source[]; histograms: MetricProducer; log: Logger },
): Promise<Metrics> {
  if (exporter === 'none' || (exporter === 'prometheus' && port === null)) return { close: async () => {} }
  diag.setLogger(diagnostics(log), { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true })
  const metricProducers = [histograms]
  if (exporter === 'prometheus') {
    const reader = new PrometheusExporter({ preventServerStart: true, metricProducers })
    const provider = providerOf(reader, resource, sources, set)
    const door = await openDoor(reader, port ?? 0, log)
    return {
      async close() {
        door.close()
        await inTime(provider.shutdown())
      },
    }
  }
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url: new URL('v1/metrics', withSlash(otlpUrl)).href }),
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: Math.min(intervalMs, 10_000),
    metricProducers,
  })
  const provider = providerOf(reader, resource, sources, set)
  return { close: () => inTime(provider.shutdown()) }
}

function providerOf(reader: MetricReader, resource: Resource, sources: Source[], set: MetricsSet): MeterProvider {
  const provider = new MeterProvider({ resource, readers: [reader] })
  createInstruments(provider.getMeter('veritas'), sources, set)
  return provider
}

/** GET /metrics on loopback. Where the port is taken (by the process that this one replaces) it is tried until it is free. */
async function openDoor(reader: PrometheusExporter, port: number, log: Logger): Promise<{ close(): void }> {
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true)
  const server = createServer((req, res) => void answer(req, res, reader, serializer, log))
  server.unref()
  let retry: NodeJS.Timeout | null = null
  let closed = false
  const listen = () =>
    new Promise<void>((resolve) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        if (retry === null)
          log.info(
            { port, code: error.code },
            'the port of the metrics is not free (METRICS_PORT), will be tried again',
          )
        if (!closed) retry = setTimeout(() => void listen(), PORT_RETRY_MS).unref()
        resolve()
      })
      // Its own, not one that the workers of a cluster share: each worker has figures of its own.
      server.listen({ port, host: HOST, exclusive: true }, () => {
        server.removeAllListeners('error')
        server.on('error', () => {})
        const { port: bound } = server.address() as AddressInfo
        log.info({ url: `http://${HOST}:${bound}/metrics` }, 'metrics')
        resolve()
      })
    })
  await listen()
  return {
    close() {
      closed = true
      if (retry) clearTimeout(retry)
      server.close()
      server.closeAllConnections()
    },
  }
}

async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  reader: PrometheusExporter,
  serializer: PrometheusSerializer,
  log: Logger,
): Promise<void> {
  if (req.url?.split('?', 1)[0] !== '/metrics') {
    res.writeHead(404, { 'content-type': 'text/plain' }).end('Metrics are at /metrics.\n')
    return
  }
  try {
    const { resourceMetrics, errors } = await reader.collect()
    for (const error of errors) log.warn({ err: error }, 'a metric could not be collected')
    res.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
    res.end(`${serializer.serialize(resourceMetrics)}\n`)
  } catch (error) {
    log.error({ err: error }, 'metrics could not be collected')
    res.writeHead(500, { 'content-type': 'text/plain' }).end('The metrics could not be collected; the log says why.\n')
  }
}

/** What OpenTelemetry has to say goes to the log: a collector that is away is a warning, once for each try. */
function diagnostics(log: Logger): DiagLogger {
  const say = (message: string, ...rest: unknown[]) =>
    log.warn({ detail: [message, ...rest].map(String).join(' ').slice(0, 500) }, 'telemetry could not be sent')
  const nothing = () => {}
  return { error: say, warn: nothing, info: nothing, debug: nothing, verbose: nothing }
}

export function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`
}

/** A collector that hangs must not hold a process that leaves. */
export async function inTime(ending: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_MS)
  })
  await Promise.race([ending.catch(() => {}), late])
  clearTimeout(timer)
}
