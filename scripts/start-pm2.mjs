import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { buildIfStale, install, main, requireNode, root } from './prepare.mjs'

const help = `npm run start:pm2

Installs and builds what is missing and hands Veritas to PM2 as ecosystem.config.cjs says; when it runs already, new
processes take over without a failed request. The command ends once they answer.

  npx pm2 logs        what they print
  npx pm2 stop all    store what waits and end
  npx pm2 kill        the same, and PM2 itself

Settings are environment variables and .env (.env.example); those of PM2 are in ecosystem.config.cjs.

Options
  --help   this text`

await main(async () => {
  if (process.argv.includes('--help')) {
    console.log(help)
    return
  }
  requireNode()
  await install()
  await buildIfStale()
  const pm2 = fileURLToPath(import.meta.resolve('pm2/bin/pm2'))
  const child = spawn(process.execPath, [pm2, 'startOrReload', 'ecosystem.config.cjs', '--update-env'], {
    cwd: root,
    stdio: 'inherit',
  })
  process.exitCode = await new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)))
})
