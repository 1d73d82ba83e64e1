/**
 * How PM2 runs Veritas (npm run start:pm2, docs/faults.md, infra/box). It stands beside build/, or on a server beside
 * `current`, the link to the release that serves: PM2 keeps the paths it started with, so they must not name a release.
 * Settings come from .env, and before it from a file in PM2_HOME with those of the shell that npm run start:pm2 ran in. PM2
 * keeps for ever what it once found in an environment, so the server passes over every other setting there
 * (server/start/env-file.ts): one that is gone is gone. These are PM2's alone:
 *   VERITAS_INSTANCES     server processes on the one port (1). Each has its own slot of the log, so more of them share
 *                         the reading of pages rather than the syncing of events.
 *   VERITAS_ROLES=split   one process that only takes events, on PORT, and one for everything else, on VERITAS_WEB_PORT
 *                         (PORT + 1): on two cores pages then cannot slow down ingest. Needs a proxy that knows both.
 *   VERITAS_MAX_MEMORY    a process above this is reloaded, without losing a request (700M)
 *   VERITAS_LOG_DIR       folder of what the processes print (PM2_HOME/logs)
 */
const { existsSync } = require('node:fs')
const { homedir } = require('node:os')
const { join } = require('node:path')
const { env } = require('node:process')

const { PORT, SHUTDOWN_TIMEOUT_MS, PM2_HOME = join(homedir(), '.pm2') } = env
const { VERITAS_ROLES, VERITAS_WEB_PORT, VERITAS_INSTANCES, VERITAS_MAX_MEMORY, VERITAS_LOG_DIR } = env
const shutdownMs = Number(SHUTDOWN_TIMEOUT_MS || 10_000)

const root = existsSync(join(__dirname, 'build')) ? __dirname : join(__dirname, 'current')

const server = {
  script: join(root, 'build/server/index.js'),
  // Where .env and a relative DATA_DIR are looked for, wherever pm2 is called.
  cwd: root,
  exec_mode: 'cluster',
  // "Ready" is said once it listens; without this PM2 ends the old process as soon as the new one has begun to start.
  wait_ready: true,
  // A process that is not ready by then replaces the old one all the same. A release that is taken back sooner
  // (infra/box/switch.sh) leaves the old one where it is.
  listen_timeout: 60_000,
  // By default PM2 kills after 1.6 s, in the middle of what a process still has to store. What it cannot store in time
  // is in the log.
  kill_timeout: shutdownMs + 5000,
  max_memory_restart: VERITAS_MAX_MEMORY || '700M',
  // A start that fails (a wrong setting, a full disk) is tried again with growing waits, not fifteen times at once.
  exp_backoff_restart_delay: 200,
  merge_logs: true,
  // Neither hooks into the server's modules nor a look for a git repository at each start.
  pmx: false,
  vizion: false,
}

/** The environment of a process, with the settings that are PM2's to say. */
function envWith(settings) {
  const own = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
  return {
    NODE_ENV: 'production',
    VERITAS_SETTINGS_FILE: join(PM2_HOME, 'veritas-settings.json'),
    VERITAS_SETTINGS: Object.keys(own).join(' '),
    ...own,
  }
}

/** Without a folder the files are PM2's own. */
function logFiles(name) {
  if (!VERITAS_LOG_DIR) return {}
  return { out_file: join(VERITAS_LOG_DIR, `${name}-out.log`), error_file: join(VERITAS_LOG_DIR, `${name}-error.log`) }
}

module.exports = {
  apps:
    VERITAS_ROLES === 'split'
      ? [
          {
            ...server,
            ...logFiles('veritas-ingest'),
            name: 'veritas-ingest',
            instances: 1,
            env: envWith({ ROLE: 'ingest', PORT: PORT || '3000' }),
          },
          {
            ...server,
            ...logFiles('veritas-web'),
            name: 'veritas-web',
            instances: Number(VERITAS_INSTANCES || 1),
            env: envWith({ ROLE: 'web', PORT: VERITAS_WEB_PORT || String(Number(PORT || 3000) + 1) }),
          },
        ]
      : [
          {
            ...server,
            ...logFiles('veritas'),
            name: 'veritas',
            instances: Number(VERITAS_INSTANCES || 1),
            env: envWith({ PORT }),
          },
        ],
}
