import { spawn } from 'node:child_process'
import { endWithParent, install, main, requireNode, root } from './prepare.mjs'

const help = {
  about: `npm run dev [-- options]

Starts Veritas from its sources: pages update in the browser as they are edited, and the server starts again when one
of its files changes. The store is in ./data with the demo shop, as with npm start; the options are the same.

Options
  --no-demo   an empty store
  --help      this text`,
  examples: ['npm run dev', 'PORT=8080 npm run dev -- --no-demo'],
  exits: { 0: 'it was ended by SIGINT or SIGTERM', 1: 'it could not start: a line says why' },
}

await main(help, async () => {
  const args = process.argv.slice(2)
  requireNode()
  await install()
  const watch = ['node_modules/tsx/dist/cli.mjs', 'watch', '--clear-screen=false', 'server/index.ts']
  const child = spawn(process.execPath, [...watch, ...args], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'development' },
    stdio: 'inherit',
  })
  if (process.env.npm_lifecycle_event) endWithParent()
  // Ctrl+C reaches the child directly through the terminal; a SIGTERM sent to this process must be passed on.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  process.exitCode = await new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
})
