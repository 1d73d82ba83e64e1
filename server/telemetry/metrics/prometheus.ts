import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import type { Logger } from 'pino'
import { type Exported, type ExportParts, inTime, providerOf } from './exporter.ts'

const HOST = '127.0.0.1'
const PORT_RETRY_MS = 1000

/** Shows the metrics to whoever asks on this machine. Port 0 is a free one; the log tells which. */
export async function showToPrometheus(port: number, parts: ExportParts): Promise<Exported> {
  const reader = new PrometheusExporter({ preventServerStart: true, metricProducers: [parts.histograms] })
  const provider = providerOf(reader, parts)
  const door = await openDoor(reader, port, parts.log)
  return {
    async close() {
      door.close()
      await inTime(provider.shutdown())
    },
  }
}

/** GET /metrics on loopback. Where the port is taken (by the process that this one replaces) it is tried until it is free. */
async function openDoor(reader: PrometheusExporter, port: number, log: Logger): Promise<{ close(): void }> {
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true)
  const server = createServer((req, res) => void answer(req, res, reader, serializer, log))
  server.unref()
  let retry: NodeJS.Timeout | null = null
  let closed = false
  // Its own, not one that the workers of a cluster share: each worker has figures of its own.
  const listen = () => server.listen({ port, host: HOST, exclusive: true })
  // Once for all tries: each further listener would stay.
  await new Promise<void>((resolve) => {
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (server.listening) return
      if (retry === null)
        log.info({ port, code: error.code }, 'the port of the metrics is not free (METRICS_PORT), will be tried again')
      if (!closed) retry = setTimeout(listen, PORT_RETRY_MS).unref()
      resolve()
    })
    server.on('listening', () => {
      const { port: bound } = server.address() as AddressInfo
      log.info({ url: `http://${HOST}:${bound}/metrics` }, 'metrics')
      resolve()
    })
    listen()
  })
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
