/** R0: what node:http itself costs. Answers 202 to everything without reading it; prints its port. */
import { createServer } from 'node:http'

const body = '{"message":"Events accepted for processing"}'
const server = createServer((_req, res) => {
  res.statusCode = 202
  res.setHeader('content-type', 'application/json; charset=utf-8')
  res.setHeader('content-length', body.length)
  res.end(body)
})
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
process.on('disconnect', () => process.exit())
