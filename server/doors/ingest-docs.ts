import { z } from 'zod'
import { type eventInput, verdict } from '../../trpc/schema/event.ts'
import type { EventTypeSpec, eventTypes } from '../../trpc/schema/event-types.ts'

const error = (description: string) => ({
  description,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/IngestError' } } },
})

/** The OpenAPI description of POST /events, one schema for each type of the catalogue. */
export function createIngestDocs(input: typeof eventInput, types: typeof eventTypes) {
  const event = jsonSchema(input)
  const schemas: Record<string, unknown> = {
    Event: { oneOf: Object.keys(types).map((type) => ({ $ref: `#/components/schemas/event_${type}` })) },
    Verdict: jsonSchema(verdict),
    Accepted: jsonSchema(
      z.object({
        message: z.string(),
        count: z.number(),
        eventIds: z.array(z.string()),
        received: z.number(),
        accepted: z.number(),
        rejected: z.number(),
        results: z.record(z.string(), verdict),
      }),
    ),
    IngestError: jsonSchema(
      z.object({
        error: z.string(),
        message: z.string(),
        field: z.string().optional(),
        retryAfter: z.number().optional(),
      }),
    ),
  }
  for (const [type, spec] of Object.entries(types) as [string, EventTypeSpec][]) {
    schemas[`event_${type}`] = {
      ...event,
      title: type,
      properties: { ...event.properties, type: { const: type }, payload: jsonSchema(spec.payload) },
    }
  }
  const one = { $ref: '#/components/schemas/Event' }
  const many = { type: 'array', items: one }
  const path = {
    post: {
      tags: ['Events'],
      summary: 'Post one event, an array, or a batch',
      parameters: [
        {
          in: 'header',
          name: 'Idempotency-Key',
          schema: { type: 'string' },
          description: 'Makes a retry safe for events without an eventId.',
        },
      ],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: { oneOf: [one, many, { type: 'object', properties: { batch: many }, required: ['batch'] }] },
          },
        },
      },
      responses: {
        202: {
          description: 'At least one event was accepted; every other has its verdict in results.',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Accepted' } } },
        },
        400: error('No event was valid, or the body is not JSON. Do not send it again.'),
        408: error('The body did not arrive in time. Send it again.'),
        413: error('Too many bytes or events at once. Send them in parts.'),
        429: error('Too many events wait to be stored. Send again after Retry-After seconds.'),
        503: error('The server is restarting or in trouble. Send again after Retry-After seconds.'),
      },
    },
  }
  return { path, schemas }
}

function jsonSchema(schema: z.ZodType): { properties?: Record<string, unknown> } & Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return rest as { properties?: Record<string, unknown> } & Record<string, unknown>
}
