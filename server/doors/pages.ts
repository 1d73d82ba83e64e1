import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { pathToFileURL } from 'node:url'
import { createRequestHandler, type ServerBuild } from '@remix-run/node'
import { createRequest } from '@remix-run/node-fetch-server'
import type { ViteDevServer } from 'vite'
import { toTrpcError } from '../../trpc/init.ts'
import { createCaller } from '../../trpc/router.ts'
import type { Accounts } from '../accounts/accounts.ts'
import { createAuthenticator } from '../accounts/auth.ts'
import { type CreateContext, clientAddress } from '../context.ts'
import { AppError } from '../errors.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { createFiles } from './files.ts'
import { pagePatterns, traceLoaders } from './page-routes.ts'
import { hasBody, type ReadSmallBody } from './small-bodies.ts'

export interface PagesParts {
  createContext: CreateContext
  accounts: Accounts
  /** Reads a posted form. */
  read: ReadSmallBody
  telemetry: Telemetry
  version: string
  publicUrl: string | undefined
  trustProxy: boolean
  trustedProxies: number
  /** The folder that holds the Remix build (client/ and server/). */
  appBuildDir: string
  /** Serves the pages from source while developing. */
  vite?: ViteDevServer | undefined
}

type PagesDoor = (req: IncomingMessage, res: ServerResponse, refusal?: AppError) => Promise<void>

/** The Remix pages and their assets. The build is loaded with the server, so that a missing one stops the start. */
export async function createPages(parts: PagesParts): Promise<PagesDoor> {
  const {
    createContext,
    accounts,
    read,
    telemetry,
    version,
    publicUrl,
    trustProxy,
    trustedProxies,
    appBuildDir,
    vite,
  } = parts
  const build = vite ? null : traceLoaders(await loadBuild(appBuildDir))
  const files = vite ? vite.middlewares : createFiles(join(appBuildDir, 'client'), assetAge)
  const handle = build ? createRequestHandler(build, 'production') : null
  const origin = publicUrl === undefined ? {} : { host: new URL(publicUrl).host, protocol: new URL(publicUrl).protocol }

  async function page(req: IncomingMessage, res: ServerResponse, refusal?: AppError): Promise<void> {
    const host = req.headers.host ?? 'localhost'
    if (!URL.canParse(`http://${host}`) || /[/?#@]/.test(host))
      throw new AppError('invalid_input', 'The Host header is not the name of a host.')
    if (!isWellWritten(req.url ?? '/'))
      throw new AppError(
        'invalid_input',
        'The path of the address is not percent-encoded UTF-8. A percent sign itself is written %25.',
      )
    // Remix would read a form of any length and for any time.
    const form = req.method === 'POST' && hasBody(req) ? await read(req) : null
    const nonce = randomBytes(16).toString('base64')
    const requestId = randomBytes(6).toString('hex')
    const cookies: string[] = []
    // Pages are there while the store is away: they say so.
    const context = refusal
      ? failing(refusal)
      : await createContext(req, (cookie) => cookies.push(cookie)).catch(unlessAway)
    const asked = createRequest(req, res, { trustProxy, ...origin })
    // Looked at already (foreignOrigin), with what a proxy in front may change. Remix would fail without a word.
    asked.headers.delete('origin')
    const { url, method, headers, signal } = asked
    const request = form ? new Request(url, { method, headers, signal, body: new Uint8Array(form) }) : asked
    const handler = handle ?? createRequestHandler(await viteBuild(vite!), 'development')
    const response = await handler(request, {
      trpc: createCaller(context, {
        onError: ({ error, path }) => {
          if (error.code === 'INTERNAL_SERVER_ERROR')
            telemetry.log.error({ err: error.cause ?? error, path, requestId }, 'procedure failed')
        },
      }),
      authenticator: createAuthenticator(refusal ? refusing(refusal) : accounts, clientAddress(req, trustedProxies)),
      nonce,
      requestId,
      version,
      log: telemetry.log,
    })
    for (const cookie of cookies) response.headers.append('set-cookie', cookie)
    if (!vite) setPageHeaders(response.headers, nonce)
    await sendResponse(res, response)
  }

  return (req, res, refusal) =>
    new Promise((resolve, reject) => {
      res.once('close', resolve)
      files(req, res, (error?: unknown) => {
        if (error) reject(error)
        else if (!vite && req.url?.startsWith('/assets/')) sendMissing(res)
        else void page(req, res, refusal).then(resolve, reject)
      })
    })
}

/** Whether Remix can read the path: it writes to stderr of each that it cannot. */
function isWellWritten(url: string): boolean {
  try {
    decodeURIComponent(url.split('?', 1)[0] ?? '')
    return true
  } catch {
    return false
  }
}

/** A reader who goes away meanwhile has had enough: no failure. */
async function sendResponse(res: ServerResponse, response: Response): Promise<void> {
  if (res.destroyed) return response.body?.cancel()
  res.statusCode = response.status
  for (const [name, value] of response.headers) res.appendHeader(name, value)
  if (response.body === null || res.req.method === 'HEAD') {
    res.end()
    return response.body?.cancel()
  }
  const body = Readable.fromWeb(response.body as ReadableStream)
  await new Promise<void>((resolve, reject) => {
    body.once('error', reject)
    res.once('close', () => {
      body.destroy()
      resolve()
    })
    body.pipe(res)
  })
}

/** A context that every procedure of a page fails with; any other failure is thrown on. */
function unlessAway(error: unknown): () => never {
  if (!(error instanceof AppError) || error.code !== 'unavailable') throw error
  return failing(error)
}

function failing(error: AppError): () => never {
  return () => {
    throw toTrpcError(error)
  }
}

/** Accounts that nobody logs in to. */
function refusing(refusal: AppError): Pick<Accounts, 'signIn' | 'signUp' | 'needsOwner'> {
  const refuse = () => Promise.reject(refusal)
  return { signIn: refuse, signUp: refuse, needsOwner: refuse }
}

/** An asset of another release: an answer that a script tag cannot mistake for a page. */
function sendMissing(res: ServerResponse): void {
  res.writeHead(404, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
  res.end('Not found')
}

/** Templates of the pages' addresses; none while developing, where pages come and go. */
export async function pageTemplates({
  appBuildDir,
  vite,
}: Pick<PagesParts, 'appBuildDir' | 'vite'>): Promise<string[]> {
  return vite ? [] : pagePatterns((await loadBuild(appBuildDir)).routes)
}

async function loadBuild(appBuildDir: string): Promise<ServerBuild> {
  return (await import(pathToFileURL(join(appBuildDir, 'server', 'index.js')).href)) as ServerBuild
}

async function viteBuild(vite: ViteDevServer): Promise<ServerBuild> {
  return (await vite.ssrLoadModule('virtual:remix/server-build')) as unknown as ServerBuild
}

/** Names in /assets carry a hash of their content; everything else may change with the next release. */
function assetAge(path: string): string {
  return path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'public, max-age=3600'
}

function setPageHeaders(headers: Headers, nonce: string): void {
  headers.set(
    'content-security-policy',
    [
      "default-src 'self'",
      `script-src 'self' 'nonce-${nonce}'`,
      "style-src 'self' 'unsafe-inline'",
      "img-src 'self' data:",
      "frame-ancestors 'none'",
      "base-uri 'self'",
      "form-action 'self'",
    ].join('; '),
  )
  if (!headers.has('cache-control')) headers.set('cache-control', 'private, no-store')
}
