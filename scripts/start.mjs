import { buildIfStale, endWithParent, install, main, requireNode } from './prepare.mjs'

const help = `npm start [-- options]

Installs and builds what is missing, then starts Veritas on its embedded store with a demo shop in it.

Options
  --no-demo   an empty store; the first account that signs up is its owner
  --demo      the demo shop (the default while STAGE=local)
  --help      this text

Settings are environment variables, for example PORT=8080 npm start; .env.example lists them all.`

await main(async () => {
  if (process.argv.includes('--help')) {
    console.log(help)
    return
  }
  requireNode()
  await install()
  await buildIfStale()
  if (process.env.npm_lifecycle_event) endWithParent()
  process.env.NODE_ENV ||= 'production'
  // In this very process: signals reach the server, its exit code is ours, and no second Node has to start.
  await import('../build/server/index.js')
})
