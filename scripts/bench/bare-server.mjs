/**
 * Baselines for the cost of node:http itself. Sends its port to the parent process. Modes:
 *   ignore   R0: answers every request with 202 without reading it
 *   read     R1: reads the body, parses it and answers with JSON like that of POST /events. No server on node:http that
 *            parses its requests can be faster.
 */
import { createServer } from 'node:http'

const fixed = '{"message":"Events accepted for processing"}'

function send(res, text) {
  res.writeHead(202, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(text) })
  res.end(text)
}

function answerTo(body) {
  const parsed = JSON.parse(body)
  const events = Array.isArray(parsed) ? parsed : [parsed]
  const eventIds = events.map((event) => event.eventId)
  return JSON.stringify({
    ok: true,
    success: true,
    status: 1,
    code: 200,
    message: 'Events accepted for processing',
    count: events.length,
    eventIds,
    received: events.length,
    accepted: events.length,
    rejected: 0,
    results: Object.fromEntries(eventIds.map((id) => [id, { result: 'ok' }])),
  })
}

function read(req, res) {
  const parts = []
  req.on('data', (part) => parts.push(part))
  req.on('end', () => send(res, answerTo(parts.length === 1 ? parts[0] : Buffer.concat(parts))))
}

const server = createServer(process.argv[2] === 'read' ? read : (_req, res) => send(res, fixed))
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
process.on('disconnect', () => process.exit())
