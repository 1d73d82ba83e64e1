import { z } from 'zod'
import { type eventInput, eventLimits, junkIdentities, verdict } from '../../trpc/schema/event.ts'
import type { EventTypeSpec, eventTypes } from '../../trpc/schema/event-types.ts'
import { MIN_INSTANT_MS } from '../../trpc/schema/instant.ts'

const error = (description: string) => ({
  description,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/IngestError' } } },
})

/** In an answer that cannot list everything: how much is left out, and the places of all events that were refused. */
const cutAnswer = {
  notListed: z.object({ eventIds: z.number(), results: z.number() }).optional(),
  rejectedPlaces: z.array(z.number()).optional(),
}

/** The OpenAPI description of POST /events, one schema for each type of the catalogue. */
export function createIngestDocs(input: typeof eventInput, types: typeof eventTypes) {
  const event = withTexts(jsonSchema(input))
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
        ...cutAnswer,
        /** Of the request, beside its events. */
        notKept: z.array(z.string()).optional(),
      }),
    ),
    IngestError: jsonSchema(
      z.object({
        error: z.string(),
        message: z.string(),
        field: z.string().optional(),
        retryAfter: z.number().optional(),
        received: z.number().optional(),
        accepted: z.number().optional(),
        rejected: z.number().optional(),
        results: z.record(z.string(), verdict).optional(),
        ...cutAnswer,
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
  const many = { type: 'array', items: one, minItems: 1 }
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
        401: error('The write key is not known, or one is required.'),
        403: error('The key is not for pages of this origin.'),
        405: error('Events are sent with POST; the header Allow says so.'),
        408: error('The body did not arrive in time. Send it again.'),
        413: error('Too many bytes or events at once. Send them in parts.'),
        415: error('The Content-Encoding is none that is read; the answer names those that are.'),
        429: error('Too many events wait to be stored. Send again after Retry-After seconds.'),
        503: error('The server is restarting or in trouble. Send again after Retry-After seconds.'),
      },
    },
  }
  return { path, schemas }
}

/** What the schema has as rules of its own: texts without NUL that are not blank, and times. */
function withTexts(event: ReturnType<typeof jsonSchema>): ReturnType<typeof jsonSchema> {
  const text = (maxLength: number) => ({
    type: 'string',
    minLength: 1,
    maxLength,
    pattern: '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$',
  })
  const whole = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER }
  return {
    ...event,
    properties: {
      ...event.properties,
      eventId: { anyOf: [text(eventLimits.eventIdLength), whole, { type: 'null' }] },
      userId: { anyOf: [text(eventLimits.userIdLength), whole], not: { enum: [...junkIdentities] } },
      sessionId: { anyOf: [text(eventLimits.sessionIdLength), whole] },
      occurredAt: {
        description: 'At most 24 hours ahead. Epoch milliseconds, or ISO 8601 with Z or an offset.',
        anyOf: [
          { type: 'integer', minimum: MIN_INSTANT_MS },
          { type: 'string', format: 'date-time' },
          { type: 'null' },
        ],
      },
    },
  }
}

function jsonSchema(schema: z.ZodType): { properties?: Record<string, unknown> } & Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return rest as { properties?: Record<string, unknown> } & Record<string, unknown>
}
