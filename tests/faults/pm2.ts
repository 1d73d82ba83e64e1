import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Pm2 {
  readonly home: string
  /** The environment in which commands run. */
  readonly env: Record<string, string>
  /** Runs npm run start:pm2. */
  start(): Promise<string>
  /** Runs `pm2 …args`. Resolves to its output; rejects if it fails. */
  run(...args: string[]): Promise<string>
  /** Like run, with the Node binary at this path. */
  runOn(node: string, ...args: string[]): Promise<string>
  /** The processes that PM2 manages. */
  list(): Promise<Pm2Process[]>
  /** Everything that the servers printed. */
  logs(name: string): string
  /** Stops the processes and the daemon. */
  close(): Promise<void>
}

export interface Pm2Process {
  name: string
  pid: number
  pm2_env: { status: string; restart_time: number; unstable_restarts: number }
}

/** A separate PM2, with daemon, sockets and logs in a new folder. `env`: the servers' settings. */
export function createPm2(env: Record<string, string>): Pm2 {
  // Not in the usual temporary folder, whose path may be too long for Unix sockets (107 characters).
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
      // The first command starts the daemon, which prints messages before the list.
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
