import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { end } from '../../scripts/launch.ts'
import { freePort } from '../free-port.ts'
import type { Need } from '../needs.ts'
import { findProgram, sharedPrograms } from '../programs.ts'

const START_TIMEOUT_MS = 60_000
const program = process.env.TOXIPROXY ?? findProgram('toxiproxy-server', [sharedPrograms], sharedPrograms)

/** Shopify's toxiproxy, a TCP proxy that cuts, delays and limits connections. */
export const toxiproxy: Need = {
  path: program,
  missing: existsSync(program) ? null : `no toxiproxy-server at ${program}; install it or set TOXIPROXY`,
}

/** A fault on connections: its type, settings and direction ("downstream" is from the database to the server). */
export interface Toxic {
  type: string
  stream: 'upstream' | 'downstream'
  attributes: Record<string, number>
}

/** A TCP proxy for one port. */
export interface TcpProxy {
  port: number
  /** Adds faults that stay until clear() is called. */
  add(toxics: readonly Toxic[]): Promise<void>
  /** Closes all connections and refuses new ones until clear() is called. */
  cut(): Promise<void>
  clear(): Promise<void>
  close(): Promise<void>
}

export async function startProxy(upstreamPort: number, seed: number): Promise<TcpProxy> {
  const apiPort = await freePort()
  const port = await freePort()
  const args = ['-host', '127.0.0.1', '-port', String(apiPort), '-seed', String(seed)]
  const child = spawn(program, args, { stdio: 'ignore' })
  const api = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`http://127.0.0.1:${apiPort}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`toxiproxy answered ${response.status}: ${await response.text()}`)
  }
  await answering(() => api('GET', '/version'))
  const enabled = { name: 'store', listen: `127.0.0.1:${port}`, upstream: `127.0.0.1:${upstreamPort}`, enabled: true }
  await api('POST', '/proxies', enabled)
  return {
    port,
    async add(toxics) {
      for (const [index, toxic] of toxics.entries())
        await api('POST', '/proxies/store/toxics', { name: `toxic-${index}`, toxicity: 1, ...toxic })
    },
    cut: () => api('POST', '/proxies/store', { ...enabled, enabled: false }),
    clear: () => api('POST', '/reset'),
    close: async () => void (await end(child)),
  }
}

async function answering(ask: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (Date.now() > deadline) throw new Error('toxiproxy did not start in time', { cause: error })
      await sleep(20)
    }
  }
}
