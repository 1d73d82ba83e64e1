import { buildIfStale, endWithParent, install, main, requireNode } from './prepare.mjs'

const help = {
  about: `npm start [-- options]

Installs and builds what is missing, then starts Veritas on its embedded store with a demo shop in it.

Options
  --no-demo   an empty store; the first account that signs up is its owner
  --demo      the demo shop (the default while STAGE=local)
  --help      this text

Settings are environment variables, for example PORT=8080 npm start; .env.example lists them all.`,
  examples: ['npm start', 'PORT=8080 npm start -- --no-demo'],
  exits: {
    0: 'it was ended by SIGINT or SIGTERM, and all it had accepted is stored',
    1: 'it could not start, or not all was stored in time (the next start does it): a line says why',
  },
}

await main(
  help,
  async () => {
    requireNode()
    await install()
    await buildIfStale()
    if (process.env.npm_lifecycle_event) endWithParent()
    process.env.NODE_ENV ||= 'production'
    // In this process, so that signals reach the server, its exit code is returned and no second Node is started.
    await import('../build/server/index.js')
  },
  { outlivesReader: true },
)
