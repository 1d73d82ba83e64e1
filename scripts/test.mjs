import { buildIfStale, install, main, requireNode } from './prepare.mjs'

const help = `npm test [-- filter …] [options]

Installs and builds what is missing, then runs every test, or those whose file path holds a filter:
  npm test -- server/store
  npm test -- tests/process

The last line is "N passed, N failed, N skipped"; each skip is printed with its reason. The exit code is 1 when a test
failed, when none ran, and when CI=true and a test was skipped for want of something that is there.

Options
  -t NAME   only tests whose name matches (and every other option of vitest run)
  --help    this text`

await main(async () => {
  const args = process.argv.slice(2)
  if (args.includes('--help')) {
    console.log(help)
    return
  }
  requireNode()
  await install()
  await buildIfStale()
  process.env.NODE_ENV ||= 'test'
  const { tsImport } = await import('tsx/esm/api')
  const { runTests } = await tsImport('./run-tests.ts', import.meta.url)
  const { lines, ok } = await runTests(args)
  for (const line of lines) console.log(line)
  // Said outright: a handle that a test left open must not keep the command from ending.
  process.exit(ok ? 0 : 1)
})
