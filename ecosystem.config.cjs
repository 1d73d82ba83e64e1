/**
 * How PM2 runs Veritas (npm run start:pm2, docs/faults.md). Settings come from the environment and .env as everywhere;
 * these are PM2's alone:
 *   VERITAS_INSTANCES     server processes on the one port (1). Each has its own slot of the log, so more of them share
 *                         the reading of pages rather than the syncing of events.
 *   VERITAS_ROLES=split   one process that only takes events, on PORT, and one for everything else, on VERITAS_WEB_PORT
 *                         (PORT + 1): on two cores pages then cannot slow down ingest. Needs a proxy that knows both.
 *   VERITAS_MAX_MEMORY    a process above this is reloaded, without losing a request (700M)
 */
const { join } = require('node:path')
const { env } = require('node:process')

const { PORT = '3000', SHUTDOWN_TIMEOUT_MS } = env
const { VERITAS_ROLES, VERITAS_WEB_PORT, VERITAS_INSTANCES, VERITAS_MAX_MEMORY } = env
const shutdownMs = Number(SHUTDOWN_TIMEOUT_MS || 10_000)

const server = {
  script: join(__dirname, 'build/server/index.js'),
  // Where .env and a relative DATA_DIR are looked for, wherever pm2 is called.
  cwd: __dirname,
  exec_mode: 'cluster',
  // "Ready" is said once it listens; without this PM2 ends the old process as soon as the new one has begun to start.
  wait_ready: true,
  listen_timeout: 15_000,
  // By default PM2 kills after 1.6 s, in the middle of what a process still has to store. What it cannot store in time
  // is in the log.
  kill_timeout: shutdownMs + 5000,
  max_memory_restart: VERITAS_MAX_MEMORY || '700M',
  // A start that fails (a wrong setting, a full disk) is tried again with growing waits, not fifteen times at once.
  exp_backoff_restart_delay: 200,
  merge_logs: true,
  env: { NODE_ENV: 'production' },
}

module.exports = {
  apps:
    VERITAS_ROLES === 'split'
      ? [
          { ...server, name: 'veritas-ingest', instances: 1, env: { ...server.env, ROLE: 'ingest', PORT } },
          {
            ...server,
            name: 'veritas-web',
            instances: Number(VERITAS_INSTANCES || 1),
            env: { ...server.env, ROLE: 'web', PORT: VERITAS_WEB_PORT || String(Number(PORT) + 1) },
          },
        ]
      : [{ ...server, name: 'veritas', instances: Number(VERITAS_INSTANCES || 1), env: { ...server.env, PORT } }],
}
