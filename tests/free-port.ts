import { createServer } from 'node:net'

/** Below those that a machine gives to connections and to listeners of any port, so that none takes one before its time. */
const lowest = 10_000
const each = 100
/** Processes that run at once begin at different ones. */
let next = lowest + (process.pid % 220) * each

/** A port of this machine that nobody listens on, for now. No two of a process are the same. */
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
