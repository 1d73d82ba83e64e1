import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { generateOpenApiDocument } from 'trpc-to-openapi'
import { appRouter } from '../../trpc/router.ts'
import { eventInput } from '../../trpc/schema/event.ts'
import { eventTypes } from '../../trpc/schema/event-types.ts'
import { createFiles } from './files.ts'
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
  const files = createFiles(folder, () => 'public, max-age=86400')

  return async function apiDocs(req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
    if (path === '/api-docs.json') send(res, 'application/json; charset=utf-8', document)
    else if (path === '/api-docs' || path === '/api-docs/') {
      res.setHeader(
        'content-security-policy',
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
      )
      send(res, 'text/html; charset=utf-8', page)
    } else if (path === '/api-docs/swagger-initializer.js') send(res, 'text/javascript; charset=utf-8', initializer)
    else if (path === '/api-docs/veritas.css') send(res, 'text/css; charset=utf-8', styles)
    else {
      req.url = (req.url ?? '/').slice('/api-docs'.length)
      await new Promise<void>((resolve, reject) => {
        res.once('close', resolve)
        files(req, res, (error) => {
          if (error) return reject(error)
          res.statusCode = 404
          res.end('Not found')
        })
      })
    }
  }
}

const page = `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>API · Veritas</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/api-docs/swagger-ui.css" />
    <link rel="stylesheet" href="/api-docs/veritas.css" />
  </head>
  <body>
    <header class="bar"><a href="/dashboard">Veritas</a></header>
    <div id="swagger-ui"></div>
    <noscript><p class="plain">This page needs scripts. The same as JSON: <a href="/api-docs.json">/api-docs.json</a></p></noscript>
    <script src="/api-docs/swagger-ui-bundle.js"></script>
    <script src="/api-docs/swagger-initializer.js"></script>
  </body>
</html>
`

/** Where Swagger's own colours have too little contrast, and what the look of the house asks for. */
const styles = `html { box-sizing: border-box; } *, *::before, *::after { box-sizing: inherit; }
body { margin: 0; background: #f3f6f5; }
.bar { background: #004747; padding: 0 24px; }
.bar a { display: inline-flex; align-items: center; min-height: 56px; color: #fff; font: 650 17px/1 system-ui, sans-serif; text-decoration: none; }
.bar a:focus-visible { outline: 2px solid #fff; outline-offset: 2px; }
.swagger-ui .info .title small { background: #405453; }
.swagger-ui .info .title small.version-stamp { background: #0a6638; }
.swagger-ui .info .title small pre { color: #fff; }
.swagger-ui .info a, .swagger-ui .info .link .url { color: #00605f; }
.swagger-ui .btn.authorize { border-color: #0a6638; color: #0a6638; }
.swagger-ui .btn.authorize svg { fill: #0a6638; }
.swagger-ui .opblock[class] .opblock-summary-method { background: #405453; text-shadow: none; }
.swagger-ui .response-control-media-type__accept-message { color: #0a6638; }
.swagger-ui .response-control-media-type__accept-message code { color: inherit; background: none; }
.swagger-ui [class*='json-schema-2020-12'][class] { color: #3b4151; }
.swagger-ui [class*='json-schema-2020-12__constraint'][class] { background: #edf2f1; }
.plain { padding: 24px; font: 14px/20px system-ui, sans-serif; }
`

/** Also names what Swagger leaves without a name, and gives its headings the level that they have on this page. */
const initializer = `window.ui = SwaggerUIBundle({ url: '/api-docs.json', dom_id: '#swagger-ui', presets: [SwaggerUIBundle.presets.apis] })
const fixes = [
  ['#swagger-ui .information-container', { role: 'region', 'aria-label': 'About these addresses' }],
  ['#swagger-ui .scheme-container', { role: 'region', 'aria-label': 'Server and login' }],
  ['#swagger-ui section.models', { 'aria-label': 'Shapes' }],
  ['#swagger-ui select:not([aria-label])', { 'aria-label': 'Choice' }],
  ['#servers', { 'aria-label': 'Server' }],
  ['#swagger-ui h3', { role: 'heading', 'aria-level': '2' }],
  ['#swagger-ui h4', { role: 'heading', 'aria-level': '3' }],
  ['#swagger-ui h5', { role: 'heading', 'aria-level': '4' }],
]
function mend() {
  for (const [selector, attributes] of fixes)
    for (const element of document.querySelectorAll(selector))
      for (const [name, value] of Object.entries(attributes))
        if (element.getAttribute(name) !== value) element.setAttribute(name, value)
}
new MutationObserver(mend).observe(document.getElementById('swagger-ui'), { childList: true, subtree: true })
mend()
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
