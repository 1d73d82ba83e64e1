import type { IncomingMessage, ServerResponse } from 'node:http'
import { TRPCError } from '@trpc/server'
import { createHTTPHandler } from '@trpc/server/adapters/standalone'
import { createOpenApiNodeHttpHandler } from 'trpc-to-openapi'
import { z } from 'zod'
import { maxBatchSize } from '../../trpc/batch.ts'
import { type Context, errorMessage, toTrpcError } from '../../trpc/init.ts'
import { appRouter } from '../../trpc/router.ts'
import type { CreateContext } from '../context.ts'
import { AppError } from '../errors.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { assertJson, readJsonObject } from './json-body.ts'
import { hasBody, type ReadSmallBody, SMALL_BODY_BYTES } from './small-bodies.ts'

interface Asked {
  req: IncomingMessage
  res: ServerResponse
  info?: { calls?: readonly unknown[] }
}

type Handler = (req: IncomingMessage, res: ServerResponse) => unknown

/** The router over HTTP: /trpc for typed clients and the compatible REST addresses, both running the same procedures. */
export function createProcedureDoors(
  createContext: CreateContext,
  telemetry: Telemetry,
  read: ReadSmallBody,
): { trpc: Handler; rest: Handler } {
  const contextOf = async ({ req, res, info }: Asked): Promise<Context> => {
    try {
      const context = await createContext(req, (cookie) => res.appendHeader('set-cookie', cookie))
      // Several questions in one request share what its answer may have.
      return { ...context, answerBytes: context.answerBytes / Math.max(1, info?.calls?.length ?? 1) }
    } catch (error) {
      throw error instanceof AppError ? toTrpcError(error) : error
    }
  }
  const onError = ({ error, path }: { error: TRPCError; path?: string }) => {
    if (error.code === 'INTERNAL_SERVER_ERROR')
      telemetry.log.error({ err: error.cause ?? error, path }, 'procedure failed')
    else telemetry.log.debug({ path, code: error.code, reason: error.message }, 'procedure refused')
  }
  /** A refusal that says when to come back. */
  const responseMeta = ({ errors }: { errors: TRPCError[] }) => {
    const cause = errors[0]?.cause
    return cause instanceof AppError && cause.retryAfterSeconds !== undefined
      ? { headers: { 'retry-after': String(cause.retryAfterSeconds) } }
      : {}
  }
  const rest = createOpenApiNodeHttpHandler<typeof appRouter, IncomingMessage, ServerResponse>({
    router: restRouter,
    createContext: contextOf,
    onError,
    responseMeta,
  })
  const trpc = createHTTPHandler({
    router: appRouter,
    basePath: '/trpc/',
    createContext: contextOf,
    onError,
    responseMeta,
    maxBodySize: SMALL_BODY_BYTES,
    maxBatchSize,
  })
  return {
    trpc: async (req, res) => {
      keepPrivate(res)
      // Its own reader waits for a slow body as long as the connection lasts.
      if (req.method === 'POST') assertJson(req)
      if (req.method === 'POST' && hasBody(req)) Object.assign(req, { body: (await read(req)).toString('utf8') })
      return trpc(req, res)
    },
    rest: async (req, res) => {
      keepPrivate(res)
      // The adapter takes a body that was read already. Its own reader fails on deep ones and passes over those whose
      // type names a charset.
      if (takesBody(req)) {
        Object.assign(req, { body: await readJsonObject(req, read) })
        req.headers['content-type'] = 'application/json'
      }
      return rest(req, res)
    },
  }
}

function takesBody({ method, url = '' }: IncomingMessage): boolean {
  return method === 'POST' && url.startsWith('/api/auth/')
}

/** Figures of a shop and who asks for them: a proxy that keeps answers without a word would give them to others. */
function keepPrivate(res: ServerResponse): void {
  res.setHeader('cache-control', 'private, no-store')
}

/**
 * The router as the REST adapter sees it: it hands path parameters over percent-encoded and hides which input was
 * wrong, so its caller decodes the ones and names the other.
 */
const restRouter: typeof appRouter = Object.assign({}, appRouter, {
  createCaller: (ctx: Context) => {
    const caller = appRouter.createCaller(ctx)
    return callerProxy([], async (path, input) => {
      const procedure = path.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], caller)
      try {
        return await (procedure as (input: unknown) => Promise<unknown>)(decodePathInput(path.join('.'), input))
      } catch (error) {
        if (error instanceof TRPCError && error.cause instanceof z.ZodError)
          throw new TRPCError({ code: error.code, message: errorMessage(error) })
        throw error
      }
    })
  },
})

function callerProxy(path: string[], call: (path: string[], input: unknown) => Promise<unknown>): never {
  return new Proxy(() => {}, {
    get: (_target, name: string) => callerProxy([...path, name], call),
    apply: (_target, _self, [input]: [unknown]) => call(path, input),
  }) as never
}

function decodePathInput(procedure: string, input: unknown): unknown {
  const procedures = appRouter._def.procedures as unknown as Record<
    string,
    { _def: { meta?: { openapi?: { path: string } } } }
  >
  const template = procedures[procedure]?._def.meta?.openapi?.path ?? ''
  if (typeof input !== 'object' || input === null) return input
  const decoded: Record<string, unknown> = { ...input }
  for (const [, name] of template.matchAll(/\{(\w+)\}/g)) {
    if (name === undefined || typeof decoded[name] !== 'string') continue
    try {
      decoded[name] = decodeURIComponent(decoded[name])
    } catch {
      throw new TRPCError({ code: 'BAD_REQUEST', message: `${name} in the address is not valid percent-encoding.` })
    }
  }
  return decoded
}
