import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api'
import type { Resource } from '@opentelemetry/resources'
import { MeterProvider, type MetricProducer, type MetricReader } from '@opentelemetry/sdk-metrics'
import type { Logger } from 'pino'
import { createInstruments, type MetricsSet, type Source } from './instruments.ts'

/** What every exporter needs. */
export interface ExportParts {
  resource: Resource
  sources: readonly Source[]
  histograms: MetricProducer
  set: MetricsSet
  log: Logger
}

export interface Exported {
  /** Sends what is left, as far as it can within a moment. */
  close(): Promise<void>
}

const CLOSE_MS = 1500

export function providerOf(reader: MetricReader, { resource, sources, set }: ExportParts): MeterProvider {
  const provider = new MeterProvider({ resource, readers: [reader] })
  createInstruments(provider.getMeter('veritas'), sources, set)
  return provider
}

/** What OpenTelemetry has to say goes to the log: a collector that is away is a warning, once for each try. */
export function logDiagnostics(log: Logger): void {
  const say = (message: string, ...rest: unknown[]) =>
    log.warn({ detail: [message, ...rest].map(String).join(' ').slice(0, 500) }, 'telemetry could not be sent')
  const nothing = () => {}
  const logger: DiagLogger = { error: say, warn: nothing, info: nothing, debug: nothing, verbose: nothing }
  diag.setLogger(logger, { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true })
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
