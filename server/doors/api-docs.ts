import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import sirv from 'sirv'
import { generateOpenApiDocument } from 'trpc-to-openapi'
import { appRouter } from '../../trpc/router.ts'
import { eventInput } from '../../trpc/schema/event.ts'
import { eventTypes } from '../../trpc/schema/event-types.ts'
import { createIngestDocs } from './ingest-docs.ts'

/** /api-docs (Swagger UI, all files our own) and /api-docs.json, made from the router's zod schemas. */
export function createApiDocs({ version, publicUrl }: { version: string; publicUrl: string | undefined }) {
  const document = JSON.stringify({
    ...withIngest(
      asAnswered(
        generateOpenApiDocument(appRouter, {
          title: 'Veritas',
          description:
            'Figures, users and journeys of a shop, and the address that takes its events. Read addresses need a login or an API token ("Authorization: Bearer vt_…").',
          version,
          baseUrl: publicUrl ?? '/',
          securitySchemes: {
            token: { type: 'http', scheme: 'bearer' },
            cookie: { type: 'apiKey', in: 'cookie', name: 'veritas_session' },
          },
        }) as unknown as OpenApi,
      ),
    ),
  })
  // Importing the package would run the whole of its page script here.
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  const files = sirv(folder, { etag: true, maxAge: 86_400 })
  const page = readFileSync(join(folder, 'index.html'), 'utf8')
    .replaceAll('./', '/api-docs/')
    .replace('<title>Swagger UI', '<title>API · Veritas')

  return function apiDocs(req: IncomingMessage, res: ServerResponse, path: string): void {
    if (path === '/api-docs.json') send(res, 'application/json; charset=utf-8', document)
    else if (path === '/api-docs' || path === '/api-docs/') {
      res.setHeader(
        'content-security-policy',
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
      )
      send(res, 'text/html; charset=utf-8', page)
    } else if (path === '/api-docs/swagger-initializer.js') send(res, 'text/javascript; charset=utf-8', initializer)
    else {
      req.url = (req.url ?? '/').slice('/api-docs'.length)
      files(req, res, () => {
        res.statusCode = 404
        res.end('Not found')
      })
    }
  }
}

const initializer = `window.ui = SwaggerUIBundle({ url: '/api-docs.json', dom_id: '#swagger-ui', deepLinking: true, presets: [SwaggerUIBundle.presets.apis] })
`

interface OpenApi {
  paths?: Record<string, Record<string, { responses?: Record<string, unknown> }>>
  components?: { schemas?: Record<string, Record<string, unknown>> }
}

/** What any address may answer beside what its procedure does. */
const everywhere: Record<string, string> = {
  405: 'The address takes another method; the header Allow names it.',
  429: 'Too many of these at once, or tries of a password. Come back after Retry-After seconds.',
  503: 'The store does not answer. Ask again.',
}

/** The generator knows the members of errors that its own handler makes; ours tell the code and status as well. */
function asAnswered(document: OpenApi): OpenApi {
  const data = {
    type: 'object',
    properties: { code: { type: 'string' }, httpStatus: { type: 'integer' }, path: { type: 'string' } },
  }
  const schemas = Object.entries(document.components?.schemas ?? {}).map(([name, schema]) => {
    if (!name.startsWith('error.')) return [name, schema]
    const properties = { ...(schema.properties as object), data, field: { type: 'string' } }
    return [name, { ...schema, properties, additionalProperties: true }]
  })
  const problem = { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] }
  for (const operations of Object.values(document.paths ?? {}))
    for (const operation of Object.values(operations))
      for (const [status, description] of Object.entries(everywhere))
        operation.responses = {
          [status]: { description, content: { 'application/json': { schema: problem } } },
          ...operation.responses,
        }
  return { ...document, components: { ...document.components, schemas: Object.fromEntries(schemas) } }
}

/** The raw ingest address is no procedure; its part comes from the same catalogue the door validates with. */
function withIngest(document: OpenApi): OpenApi {
  const { path, schemas } = createIngestDocs(eventInput, eventTypes)
  return {
    ...document,
    paths: { '/events': path as unknown as Record<string, object>, ...document.paths },
    components: {
      ...document.components,
      schemas: { ...document.components?.schemas, ...(schemas as Record<string, Record<string, unknown>>) },
    },
  }
}

function send(res: ServerResponse, type: string, text: string): void {
  res.setHeader('content-type', type)
  res.end(text)
}
