import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { buildIfStale, install, main, requireNode, root } from './prepare.mjs'

const help = {
  about: `npm run start:pm2

Installs and builds what is missing and hands Veritas to PM2 as ecosystem.config.cjs says; when it runs already, new
processes take over without a failed request. The command ends once they answer.

  npx pm2 logs        what they print
  npx pm2 stop all    store what waits and end
  npx pm2 kill        the same, and PM2 itself

Settings are environment variables and .env (.env.example); those of PM2 are in ecosystem.config.cjs. What this shell has
of them is written into PM2_HOME/veritas-settings.json, which nobody else may read, in the place of what was there: a
setting that is gone is gone. PM2 itself gets none of them.

Options
  --help   this text`,
  examples: ['npm run start:pm2', 'VERITAS_ROLES=split npm run start:pm2'],
  exits: { 0: 'it answers', 1: 'it does not, or could not be built: lines say why' },
}

const pm2Home = process.env.PM2_HOME || join(homedir(), '.pm2')

await main(help, async () => {
  requireNode()
  await install()
  await buildIfStale()
  keepSettings()
  const env = pm2Environment()
  if (isOfOtherNode()) {
    console.log(
      `PM2 runs on another Node than this one (${process.version}): it is started again, which takes seconds.`,
    )
    await pm2(['kill'], env)
  }
  process.exitCode = await pm2(['startOrReload', 'ecosystem.config.cjs', '--update-env'], env)
})

function pm2(args, env) {
  const program = fileURLToPath(import.meta.resolve('pm2/bin/pm2'))
  const child = spawn(process.execPath, [program, ...args], { cwd: root, stdio: 'inherit', env })
  return new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)))
}

/** Whether a variable is a setting of the server or of one of its libraries. */
function isSetting(name) {
  return settingNames().has(name) || /^(AWS_|OTEL_|NODE_EXTRA_CA_CERTS$|(HTTPS?|NO)_PROXY$)/i.test(name)
}

function settingNames() {
  return new Set(Object.keys(parseEnv(readFileSync(join(root, '.env.example'), 'utf8'))))
}

/** Saves the settings for the server in a private file. PM2's own dump is world-readable, so make that private too. */
function keepSettings() {
  mkdirSync(pm2Home, { recursive: true, mode: 0o700 })
  chmodSync(pm2Home, 0o700)
  for (const name of ['dump.pm2', 'dump.pm2.bak']) {
    const file = join(pm2Home, name)
    if (existsSync(file)) chmodSync(file, 0o600)
  }
  const settings = Object.entries(process.env).filter(([name, value]) => isSetting(name) && value !== '')
  const file = join(pm2Home, 'veritas-settings.json')
  writeFileSync(`${file}.next`, `${JSON.stringify(Object.fromEntries(settings), null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.next`, file)
}

/** The environment for PM2: what a shell needs, and what ecosystem.config.cjs reads. */
function pm2Environment() {
  const { env } = process
  const ofFile = existsSync(join(root, '.env')) ? parseEnv(readFileSync(join(root, '.env'), 'utf8')) : {}
  const passed = Object.entries(env).filter(([name]) =>
    /^(PATH|HOME|USER|LOGNAME|SHELL|TERM|LANG|TZ|TMPDIR|NODE_OPTIONS|LC_\w+|PM2_\w+|VERITAS_\w+)$/.test(name),
  )
  const read = { SHUTDOWN_TIMEOUT_MS: env.SHUTDOWN_TIMEOUT_MS || ofFile.SHUTDOWN_TIMEOUT_MS }
  // With split roles ecosystem.config.cjs assigns the ports; otherwise the server reads PORT itself.
  if (env.VERITAS_ROLES === 'split') read.PORT = env.PORT || ofFile.PORT
  return {
    ...Object.fromEntries(passed),
    ...Object.fromEntries(Object.entries(read).filter(([, value]) => value)),
    PM2_DISABLE_VERSION_CHECK: 'true',
    NODE_ENV: 'production',
  }
}

/** Whether PM2 runs on another or since replaced Node binary, which it would also use for new processes. */
function isOfOtherNode() {
  try {
    const pid = readFileSync(join(pm2Home, 'pm2.pid'), 'utf8').trim()
    return realpathSync(`/proc/${pid}/exe`) !== realpathSync(process.execPath)
  } catch (error) {
    // Linux adds " (deleted)" to the path of a replaced binary. Any other error: no PM2, or no /proc to tell.
    return error.code === 'ENOENT' && error.path?.endsWith(' (deleted)') === true
  }
}
