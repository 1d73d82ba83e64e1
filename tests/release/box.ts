import { type ChildProcess, execFile, spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../free-port.ts'

const checkout = fileURLToPath(new URL('../..', import.meta.url))
const stubs = fileURLToPath(new URL('stubs', import.meta.url))
const boxFiles = join(checkout, 'infra', 'box')
const ORIGIN_SECRET = 'a-secret-that-only-CloudFront-knows'
/** What install.sh would do to this machine. */
const changing = [
  'dnf',
  'alternatives',
  'blkid',
  'mkfs.xfs',
  'mkswap',
  'python3',
  'swapon',
  'mountpoint',
  'mount',
  'xfs_growfs',
  'id',
  'useradd',
  'mongosh',
]

/** How a script ended, and everything it printed. */
export interface Ran {
  code: number | null
  output: string
}

export interface Box {
  readonly root: string
  readonly port: number
  readonly listenPort: number
  readonly originSecret: string
  /** Runs a script of the box to its end. */
  run(script: string, ...args: string[]): Promise<Ran>
  /** Starts one, for a test that does something to it meanwhile. */
  begin(script: string, ...args: string[]): { child: ChildProcess; ended: Promise<Ran> }
  /** Runs install.sh from the folder that user data fetches. */
  install(): Promise<Ran>
  /** Puts a file into the bucket of releases. */
  upload(key: string, file: string): void
  /** Changes settings of box.env. */
  set(settings: Record<string, string>): void
  setParameters(parameters: Record<string, string>): void
  /** How the programs that stand for others were called, one line each. */
  calls(): string
  stub(name: string, content: string | null): void
  path(...names: string[]): string
  read(...names: string[]): string
  current(): string | null
  releases(): string[]
  /** Names, states and restarts of what PM2 runs. */
  processes(): Promise<{ name: string; pid: number; status: string; restarts: number }[]>
  /** Ends PM2 and its processes, and removes the folder. */
  close(): Promise<void>
}

/**
 * A server's disk in a new folder, with its scripts in place: PM2, Node, curl and tar are real, AWS and systemd are not.
 * `settings` go into box.env.
 */
export async function createBox(settings: Record<string, string> = {}): Promise<Box> {
  // The paths of unix sockets may have 107 characters; a temporary folder can be deep.
  const root = mkdtempSync('/tmp/vbox-')
  const stubDir = join(root, 'stubs')
  const [port, webPort, trialPort, listenPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  for (const folder of [
    'stubs/bin',
    'stubs/s3',
    'opt/veritas/releases',
    'opt/veritas/.pm2',
    'etc/veritas',
    'etc/nginx',
    'var/log/veritas/server',
    'var/lib/veritas/data',
    'dev/disk/by-id',
    'etc/yum.repos.d',
  ])
    mkdirSync(join(root, folder), { recursive: true })
  cpSync(boxFiles, join(root, 'opt/veritas/bin'), { recursive: true })
  for (const name of ['aws', 'systemctl']) symlinkSync(join(stubs, name), join(stubDir, 'bin', name))
  for (const name of changing) symlinkSync(join(stubs, 'written-down'), join(stubDir, 'bin', name))
  mkdirSync(join(root, 'opt/veritas/pm2'))
  symlinkSync(join(checkout, 'node_modules'), join(root, 'opt/veritas/pm2/node_modules'))
  const boxEnv = {
    STAGE: 'test',
    REGION: 'eu-central-1',
    BUCKET: 'veritas-test-releases',
    PARAMETER_PREFIX: '/veritas/test/',
    DATA_VOLUME_ID: 'vol-0123456789abcdef0',
    STORE: 'embedded',
    ROLES: 'all',
    PORT: String(port),
    WEB_PORT: String(webPort),
    TRIAL_PORT: String(trialPort),
    LISTEN_PORT: String(listenPort),
    TRIAL_SECONDS: '30',
    HEALTH_SECONDS: '30',
    SWAP_MIB: '1',
    METRICS_EXPORTER: 'none',
    METRICS_PORT: 'off',
    LOG_LEVEL: 'warn',
    ...settings,
  }
  const set = (changes: Record<string, string>) => {
    Object.assign(boxEnv, changes)
    const lines = Object.entries(boxEnv).map(([name, value]) => `${name}=${value}\n`)
    writeFileSync(join(root, 'etc/veritas/box.env'), lines.join(''))
  }
  set({})
  writeFileSync(join(root, 'etc/fstab'), '')
  const agent = join(root, 'opt/aws/amazon-cloudwatch-agent/bin')
  mkdirSync(agent, { recursive: true })
  symlinkSync(join(stubs, 'written-down'), join(agent, 'amazon-cloudwatch-agent-ctl'))
  writeFileSync(join(root, 'dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0'), '')

  const { PATH, HOME, TZ } = process.env
  const env = {
    PATH: `${join(stubDir, 'bin')}:${PATH}`,
    HOME,
    TZ,
    NODE_ENV: 'production' as const,
    VERITAS_ROOT: root,
    STUB_DIR: stubDir,
  }
  const path = (...names: string[]) => join(root, ...names)
  const setParameters = (parameters: Record<string, string>) => {
    const list = Object.entries(parameters).map(([name, Value]) => ({ Name: `/veritas/test/${name}`, Value }))
    writeFileSync(join(stubDir, 'parameters.json'), JSON.stringify({ Parameters: list }))
  }
  setParameters({ ORIGIN_SECRET })

  const begin = (file: string, args: string[]) => {
    const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    const ended = new Promise<Ran>((resolve) => {
      // Not when its pipes close: a daemon that it left behind could hold them.
      child.once('exit', (code) => setTimeout(() => resolve({ code, output }), 50))
    })
    return { child, ended }
  }
  const pm2 = (...args: string[]) =>
    new Promise<string>((resolve, reject) => {
      const program = path('opt/veritas/pm2/node_modules/pm2/bin/pm2')
      const pm2Env = { PATH, HOME, NODE_ENV: 'production' as const, PM2_HOME: path('opt/veritas/.pm2') }
      execFile(process.execPath, [program, ...args], { env: pm2Env, maxBuffer: 2 ** 24 }, (error, stdout) =>
        error ? reject(error) : resolve(stdout),
      )
    })

  return {
    root,
    port,
    listenPort,
    originSecret: ORIGIN_SECRET,
    run: (script, ...args) => begin(path('opt/veritas/bin', script), args).ended,
    begin: (script, ...args) => begin(path('opt/veritas/bin', script), args),
    install: () => begin(join(boxFiles, 'install.sh'), []).ended,
    path,
    set,
    setParameters,
    read: (...names) => readFileSync(path(...names), 'utf8'),
    upload(key, file) {
      const place = join(stubDir, 's3', boxEnv.BUCKET, key)
      mkdirSync(join(place, '..'), { recursive: true })
      cpSync(file, place)
    },
    calls: () => (existsSync(join(stubDir, 'calls.log')) ? readFileSync(join(stubDir, 'calls.log'), 'utf8') : ''),
    stub(name, content) {
      if (content === null) rmSync(join(stubDir, name), { force: true })
      else writeFileSync(join(stubDir, name), content)
    },
    current() {
      const file = path('opt/veritas/current/package.json')
      return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : null
    },
    releases: () => readdirSync(path('opt/veritas/releases')).sort(),
    async processes() {
      const printed = await pm2('jlist')
      const list = JSON.parse(printed.slice(printed.search(/^\[(\{|\])/m))) as {
        name: string
        pid: number
        pm2_env: { status: string; restart_time: number }
      }[]
      return list.map(({ name, pid, pm2_env: { status, restart_time: restarts } }) => ({ name, pid, status, restarts }))
    },
    async close() {
      if (existsSync(path('opt/veritas/.pm2/pm2.pid'))) await pm2('kill').catch(() => {})
      endOrphans(root)
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** Ends what scripts that were killed have left behind: commands that wait for a PM2 which is no more. */
function endOrphans(root: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const told = ['environ', 'cmdline'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8')).join()
      if (told.includes(root)) process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has just ended, or is not ours.
    }
  }
}
