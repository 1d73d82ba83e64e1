import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Pm2 {
  readonly home: string
  /** The shell that commands run in. */
  readonly env: Record<string, string>
  /** npm run start:pm2. */
  start(): Promise<string>
  /** Runs `pm2 …args`; resolves to what it printed. Rejects when it fails. */
  run(...args: string[]): Promise<string>
  /** The same by the Node at a path. */
  runOn(node: string, ...args: string[]): Promise<string>
  /** The processes it keeps. */
  list(): Promise<Pm2Process[]>
  /** Everything the servers printed. */
  logs(name: string): string
  /** Ends its processes and its daemon. */
  close(): Promise<void>
}

export interface Pm2Process {
  name: string
  pid: number
  pm2_env: { status: string; restart_time: number; unstable_restarts: number }
}

/** A PM2 of its own: daemon, sockets and logs in a new folder. `env` holds the settings of the servers. */
export function createPm2(env: Record<string, string>): Pm2 {
  // The paths of unix sockets may have 107 characters; a temporary folder can be deep.
  const home = mkdtempSync('/tmp/vpm2-')
  const { PATH, HOME, TZ } = process.env
  const node = (...args: string[]) => nodeAt(process.execPath, ...args)
  const nodeAt = (path: string, ...args: string[]) =>
    new Promise<string>((resolve, reject) => {
      const child = spawn(path, args, {
        cwd: root,
        env: { PATH, HOME, TZ, NODE_ENV: 'production', PM2_HOME: home, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let output = ''
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text
        })
      child.once('close', (code) =>
        code === 0 ? resolve(output) : reject(new Error(`${args.join(' ')} ended with ${code}:\n${output}`)),
      )
    })
  const program = join(root, 'node_modules/pm2/bin/pm2')
  const run = (...args: string[]) => node(program, ...args)
  return {
    home,
    env,
    run,
    runOn: (path, ...args) => nodeAt(path, program, ...args),
    start: () => node(join(root, 'scripts/start-pm2.mjs')),
    list: async () => {
      const printed = await run('jlist')
      // The first command of a daemon's life tells of its start before the list.
      return JSON.parse(printed.slice(printed.search(/^\[(\{|\])/m))) as Pm2Process[]
    },
    logs: (name) =>
      ['out', 'error'].map((stream) => readFileSync(join(home, 'logs', `${name}-${stream}.log`), 'utf8')).join(''),
    async close() {
      await run('kill').catch(() => {})
      rmSync(home, { recursive: true, force: true })
    },
  }
}
