import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Server as NetServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { compress } from './doors/compress.ts'
import { boundConnections, mostConnections } from './doors/connections.ts'
import { foreignOrigin, type OriginSettings } from './doors/origin.ts'
import { watchConnections } from './doors/quiet-connections.ts'
import { isRestRequest } from './doors/rest-addresses.ts'
import { AppError } from './errors.ts'
import { methodNotAllowed, sendError, sendJson } from './ingest/answer.ts'
import { awaitReader, waitsForReader } from './ingest/body.ts'
import { allowOrigin, sendPreflight } from './ingest/cors.ts'
import { methodOf } from './telemetry/metrics/measures.ts'
import type { RouteOf } from './telemetry/metrics/routes.ts'
import type { Telemetry } from './telemetry/telemetry.ts'
import { inRequestSpan } from './telemetry/tracing.ts'

type Door = (req: IncomingMessage, res: ServerResponse) => unknown
type PathDoor = (req: IncomingMessage, res: ServerResponse, path: string) => unknown

export interface Doors {
  ingest: Door
  trpc: Door
  rest: Door
  apiDocs: PathDoor
  health: PathDoor
  /** `refusal` is why nothing may be changed for this request; the page with its form says it. */
  pages: (req: IncomingMessage, res: ServerResponse, refusal?: AppError) => unknown
}

export interface HttpServer {
  /** Port that was bound. Rejects with AppError when the address cannot be had. */
  listen(port: number, host: string): Promise<number>
  /** Takes no new connections and lets the open ones finish what they began, as long as they go on with it; ends what is left after graceMs. */
  close(graceMs: number): Promise<void>
}

export interface ConnectionSettings {
  max: number
  /** Requests that may be under way on one connection. */
  maxPipelined: number
  /** Until the headers of a request are all there. */
  headersTimeoutMs: number
  /** Between requests. */
  idleTimeoutMs: number
}

/** How long the rest of a body that was answered already may take. */
const LINGER_MS = 10_000
/** How long a connection may be without a byte in or out while its request is at work, such as when nobody reads the answer. */
const STALL_MS = 120_000
/** How long the end waits for a client that stopped in the middle of a request. */
const QUIET_MS = 1500

export interface HttpParts extends OriginSettings {
  telemetry: Telemetry
  routeOf: RouteOf
  connections: ConnectionSettings
}

/** The one server: four doors in order — events, procedures, health, pages. */
export function createHttpServer(
  doors: Doors,
  { telemetry, routeOf, connections: limits, ...origins }: HttpParts,
): HttpServer {
  let closing = false
  const open = new Set<IncomingMessage>()
  const { requests } = telemetry.measures
  const accepted = requests.of('POST', '/events', '202')

  /** Of posts that are accepted, which come by the thousand, nothing is looked up. */
  function measure({ method }: IncomingMessage, res: ServerResponse, route: string, startedAt: number): void {
    const seconds = (performance.now() - startedAt) / 1000
    const { statusCode } = res
    if (statusCode === 202 && route === '/events' && method === 'POST') accepted.add(seconds)
    // Who left before an answer began got none.
    else requests.of(methodOf(method), route, res.headersSent ? String(statusCode) : '').add(seconds)
  }

  function doorOf(req: IncomingMessage, res: ServerResponse, path: string): Door {
    if (isIngestPath(path)) return doors.ingest
    const isHealth = healthPaths.includes(path)
    const isRest = isRestRequest(req, path)
    // No procedure is called like a file: while developing, Vite serves the pages' trpc/client.ts from its own address.
    const isTrpc = path.startsWith('/trpc/') && !path.endsWith('.ts')
    const isApiDocs = path === '/api-docs.json' || path === '/api-docs' || path.startsWith('/api-docs/')
    const isRead = isHealth || isApiDocs || (isRest && !path.startsWith('/api/'))
    const allowed = isRead ? reads : isTrpc ? [...reads, 'POST'] : methods
    if (!allowed.includes(req.method ?? 'GET'))
      throw methodNotAllowed(res, allowed.join(', '), `This address takes ${allowed.join(', ')}.`)
    if (isHealth) return (request, response) => doors.health(request, response, path)
    if (!isTrpc && !isApiDocs && !isRest && isForNoPage(req)) return doorOfNothing
    const foreign = foreignOrigin(req, origins)
    if (foreign !== null) {
      const { origin, host } = req.headers
      telemetry.log.info({ origin, host }, 'a request of another origin is refused')
      const refusal = new AppError('forbidden', foreign)
      if (isTrpc || isApiDocs || isRest) throw refusal
      return (request, response) => doors.pages(request, response, refusal)
    }
    if (isTrpc) return doors.trpc
    if (isApiDocs) return (request, response) => doors.apiDocs(request, response, path)
    if (isRest) return doors.rest
    return (request, response) => doors.pages(request, response)
  }

  async function onRequest(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const startedAt = performance.now()
    const { socket } = req
    if (!connections.begin(socket, res)) return
    let path = ''
    let isIngest = false
    open.add(req)
    readOnBeforeEnd(req)
    res.once('finish', () => {
      if (!req.complete) endLate(req)
    })
    res.once('close', () => {
      open.delete(req)
      connections.end(socket, res)
      measure(req, res, isIngest ? '/events' : routeOf(path), startedAt)
    })
    // Told to open a new connection, a client meets the process that takes over.
    if (closing) res.setHeader('connection', 'close')
    res.setHeader('x-content-type-options', 'nosniff')
    res.setHeader('referrer-policy', 'same-origin')
    try {
      req.url = originForm(req.url ?? '/')
      path = pathOf(req.url)
      if (req.headers.host === undefined && req.httpVersion === '1.1') {
        res.setHeader('connection', 'close')
        throw new AppError('invalid_input', 'The request has no Host header.')
      }
      if (connections.isReserved(socket)) {
        res.setHeader('connection', 'close')
        if (!healthPaths.includes(path)) {
          // A page on a storefront may read why, and that it is to come again.
          if (isIngestPath(path)) allowOrigin(req, res)
          throw new AppError('unavailable', 'This server has as many connections as it may. Send the request again.', {
            retryAfterSeconds: 1 + Math.floor(Math.random() * 5),
          })
        }
      }
      const door = doorOf(req, res, path)
      isIngest = door === doors.ingest
      if (isIngest) {
        // Neither traced, nor compressed: answers to events are shorter than what that would save.
        await door(req, res)
      } else {
        // Else one connection could have as much worked out at once as a thousand.
        if (!(await connections.turn(socket, res))) return
        if (!healthPaths.includes(path)) endWithReader(req, res)
        compress(req, res, () => {})
        await inRequestSpan(methodOf(req.method), routeOf(path), res, async () => door(req, res))
      }
    } catch (error) {
      if (!(error instanceof AppError)) telemetry.log.error({ err: error, method: req.method }, 'request failed')
      // In the middle of an answer nothing can be said any more.
      if (res.headersSent && !res.writableEnded) res.destroy()
      sendError(
        res,
        error instanceof AppError ? error : new AppError('internal', 'Something failed on the server. It was logged.'),
      )
    }
  }

  const server: Server = createServer(
    {
      keepAliveTimeout: limits.idleTimeoutMs,
      headersTimeout: limits.headersTimeoutMs,
      // Those who read bodies know how long each may take.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(2500, Math.max(50, limits.headersTimeoutMs / 4)),
      // Refused here, with a reason.
      requireHostHeader: false,
    },
    (req, res) => void onRequest(req, res),
  )
  server.timeout = STALL_MS
  // A client may close its half once it sent all, and still read the answer.
  Object.assign(server, { httpAllowHalfOpen: true })
  server.on('clientError', refuseUnreadable)
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    awaitReader(req, () => res.writeContinue())
    void onRequest(req, res)
  })
  server.on('checkExpectation', (_req: IncomingMessage, res: ServerResponse) => {
    res.setHeader('connection', 'close')
    sendJson(res, 417, {
      ok: false,
      error: 'Expectation Failed',
      message: 'Of the header Expect only "100-continue" is known.',
    })
  })
  server.on('connect', (_req: IncomingMessage, socket: Duplex) => {
    // Node hands the connection over with nobody to hear of its errors.
    socket.on('error', () => {})
    answerRaw(socket, 405, 'Method Not Allowed', 'This server is no proxy.', `Allow: ${methods.join(', ')}\r\n`)
  })
  const connections = boundConnections(server, mostConnections(limits.max), limits.maxPipelined)
  const quiet = watchConnections(server, QUIET_MS)

  return {
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        const refuse = (error: NodeJS.ErrnoException) => reject(listenError(error, port, host))
        server.once('error', refuse)
        server.listen(port, host, () => {
          server.off('error', refuse)
          // A connection that the system could not hand over, for want of memory or files: others can be.
          server.on('error', (error) => telemetry.log.error({ err: error }, 'a connection could not be accepted'))
          const address = server.address()
          resolve(typeof address === 'object' && address ? address.port : port)
        })
      }),

    async close(graceMs) {
      closing = true
      // http's own close() would end idle connections at once, with requests for them on their way.
      const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()))
      const deadline = Date.now() + graceMs
      const connections = () =>
        new Promise<number>((resolve) => server.getConnections((error, count) => resolve(error ? 0 : count)))
      const idleUntil = Date.now() + Math.min(1000, graceMs / 2)
      while ((await connections()) > 0 && Date.now() < deadline) {
        if (open.size === 0 && Date.now() >= idleUntil) server.closeIdleConnections()
        quiet.end(open, Date.now())
        await sleep(10)
      }
      server.closeAllConnections()
      await closed
    },
  }
}

const healthPaths = ['/health', '/health/live', '/health/ready']
const reads = ['GET', 'HEAD']
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Who asks something and closes its half has gone: nothing need be worked out for it any more. */
function endWithReader({ method, socket }: IncomingMessage, res: ServerResponse): void {
  if (method !== 'GET' && method !== 'HEAD') return
  const end = () => void socket.end()
  socket.once('end', end)
  res.once('close', () => socket.off('end', end))
}

/**
 * Node ends a connection that is to close as soon as the answer is sent. What the client is still sending then is answered
 * with a reset, and the reset may overtake the answer: a proxy shows a 502 of its own for it. So only our half is closed
 * until the body is through, or endLate has had enough of it.
 */
function readOnBeforeEnd(req: IncomingMessage): void {
  const { socket } = req
  if (req.complete) return
  const endSoon = socket.destroySoon
  socket.destroySoon = () => {
    socket.destroySoon = endSoon
    if (req.complete || socket.destroyed || waitsForReader(req)) return endSoon.call(socket)
    socket.end()
    req.once('end', () => endSoon.call(socket))
    req.resume()
  }
  req.once('end', () => {
    socket.destroySoon = endSoon
  })
}

/** The client goes on with a body that nobody wants any more. */
function endLate(req: IncomingMessage): void {
  const timer = setTimeout(() => req.socket.destroy(), LINGER_MS).unref()
  req.once('close', () => clearTimeout(timer))
}

/** Led to the login, a client that missed /events would take its page for success; one on another site may read why. */
function doorOfNothing(req: IncomingMessage, res: ServerResponse): void {
  if (req.method === 'OPTIONS') {
    sendPreflight(req, res)
    return
  }
  allowOrigin(req, res)
  throw new AppError('not_found', 'Nothing takes this here. Events are posted to /events, questions are under /trpc.')
}

/**
 * The target without the scheme and host that clients of a proxy write before it, and with one slash at its beginning:
 * in a link, what follows two of them is another host.
 */
function originForm(target: string): string {
  if (/^\/[^/\\]/.test(target)) return target
  return target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/^[/\\]*/, '/')
}

/** Whether something is sent that no page reads: pages take forms, and browsers say that they are. */
function isForNoPage({ method, headers }: IncomingMessage): boolean {
  if (method === 'GET' || method === 'HEAD') return false
  return !/^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i.test(headers['content-type'] ?? '')
}

/** Also as it comes of a base address with a slash at its end, or with one too many after it. */
function isIngestPath(path: string): boolean {
  return path === '/events' || /^\/+events\/?$/.test(path)
}

function pathOf(url: string): string {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}

function listenError(error: NodeJS.ErrnoException, port: number, host: string): AppError {
  const reasons: Record<string, string> = {
    EADDRINUSE: `Port ${port} on ${host} is in use. Stop what uses it, or choose another: PORT=${port + 1} npm start`,
    EACCES: `Port ${port} on ${host} may not be used by this user. Choose one above 1023: PORT=3000 npm start`,
    EADDRNOTAVAIL: `HOST ${host} is not an address of this machine.`,
    ENOTFOUND: `HOST ${host} is not an address of this machine.`,
  }
  return new AppError('unavailable', reasons[error.code ?? ''] ?? `Cannot listen on ${host}:${port} (${error.code}).`, {
    cause: error,
  })
}

const unreadable: Record<string, [status: number, title: string, message: string]> = {
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'Payload Too Large', 'The extensions of the pieces are larger than 16 KB.'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'The headers are larger than 16 KB. Delete cookies.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not arrive in time. Send it again.'],
}

/** Answers what the parser of Node refuses before there is a request. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  // Node's own handler looks there too: words in the middle of another answer would spoil that one.
  const { _httpMessage: open } = socket as { _httpMessage?: ServerResponse }
  if (!socket.writable || error.code === 'ECONNRESET' || open?.headersSent) return void socket.destroy()
  const known = unreadable[error.code ?? ''] ?? [400, 'Bad Request', 'This is not a valid HTTP request.']
  answerRaw(socket, ...known)
}

function answerRaw(socket: Duplex, status: number, title: string, message: string, headers = ''): void {
  const body = JSON.stringify({ ok: false, error: title, message })
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\n${headers}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}
