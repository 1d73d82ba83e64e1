import { buildIfStale, install, main, requireNode } from './prepare.mjs'

const help = {
  about: `npm test [-- filter …] [options]

Installs and builds what is missing, then runs every test, or those whose file path holds a filter.

The last line is "N passed, N failed, N skipped"; each skip is printed with its reason.

Options
  -t NAME   only tests whose name matches (and every other option of vitest run)
  --help    this text`,
  examples: ['npm test', 'npm test -- server/store', 'npm test -- tests/process -t signal'],
  exits: {
    0: 'every test passed or was skipped with its reason',
    1: 'a test failed, none ran, or with CI=true one was skipped for want of something that is there',
  },
}

await main(help, async () => {
  const args = process.argv.slice(2)
  requireNode()
  await install()
  await buildIfStale()
  process.env.NODE_ENV ||= 'test'
  const { tsImport } = await import('tsx/esm/api')
  const { runTests } = await tsImport('./run-tests.ts', import.meta.url)
  const { lines, ok } = await runTests(args)
  for (const line of lines) console.log(line)
  // Exit explicitly, even if a test left a handle open.
  process.exit(ok ? 0 : 1)
})
