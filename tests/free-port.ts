import { createServer } from 'node:net'

/** First port to use: below the ranges from which the system assigns ports by itself. */
const lowest = 10_000
const each = 100
/** The next port to try; test processes running at the same time start at different ones. */
let next = lowest + (process.pid % 220) * each

/** A local port that nobody listens on at the moment. Never returns the same port twice in a process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = next++
    if (next === lowest + 220 * each) next = lowest
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false)
      else reject(error)
    })
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
