import { type Agent, request } from 'node:http'

/** Result of a request. `lost`: sent, but not answered, so its effect is unknown. `unsent`: nothing listened. */
export type PostAnswer = { status: number; retryAfterMs: number; body: string } | { lost: string } | { unsent: string }

/** Posts to /events on a local port. Never rejects. */
export function post(
  { port, agent, timeoutMs = 20_000 }: { port: number; agent: Agent | false; timeoutMs?: number },
  body: string | Buffer,
  headers: Record<string, string> = {},
): Promise<PostAnswer> {
  return new Promise((resolve) => {
    let answered = false
    const req = request(
      {
        host: '127.0.0.1',
        port,
        path: '/events',
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
      },
      (res) => {
        const parts: Buffer[] = []
        res.on('data', (part: Buffer) => parts.push(part))
        res.on('error', (error) => resolve({ lost: error.message }))
        res.on('end', () => {
          answered = true
          const retryAfterMs = Number(res.headers['retry-after'] ?? 0) * 1000
          resolve({ status: res.statusCode ?? 0, retryAfterMs, body: Buffer.concat(parts).toString() })
        })
        res.on('close', () => {
          if (!answered) resolve({ lost: 'the answer was cut' })
        })
      },
    )
    req.setTimeout(timeoutMs, () => req.destroy(new Error(`no answer within ${timeoutMs} ms`)))
    req.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' ? { unsent: error.message } : { lost: error.message }),
    )
    req.end(body)
  })
}
