import { install, main, requireNode, run } from './prepare.mjs'

const help = {
  about: `npm run check

Reads everything that can be checked without running it:
  format and lint   Biome (npm run format mends what can be mended)
  types             TypeScript, strict
  arrows            which room may import from which (.dependency-cruiser.cjs)
  dead code         files, exports and packages that nobody uses (knip)

All four run to their end.

Options
  --help   this text`,
  examples: ['npm run check'],
  exits: { 0: 'all is well', 1: 'something was found: lines say what' },
}

const checks = [
  ['Format and lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '.']],
  ['Types', ['node_modules/typescript/bin/tsc', '--noEmit']],
  [
    'Arrows',
    [
      'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
      '--config',
      '.dependency-cruiser.cjs',
      'app',
      'server',
    ],
    ['trpc', 'scripts', 'tests', 'infra', 'sst.config.ts'],
  ],
  ['Dead code', ['node_modules/knip/bin/knip.js', '--no-progress']],
]

await main(help, async () => {
  requireNode()
  await install()
  const started = Date.now()
  const results = await Promise.all(
    checks.map(async ([title, command, folders = []]) => {
      const { code, output } = await run(process.execPath, [...command, ...folders])
      return { title, code, output, seconds: ((Date.now() - started) / 1000).toFixed(1) }
    }),
  )
  for (const { title, code, output, seconds } of results) {
    console.log(`${title}: ${code === 0 ? `well (${seconds} s)` : 'NOT WELL'}`)
    if (code !== 0) console.log(`\n${output.trim()}\n`)
  }
  const failed = results.filter(({ code }) => code !== 0)
  if (failed.length === 0) return
  console.error(`npm run check: ${failed.map(({ title }) => title.toLowerCase()).join(', ')} found something.`)
  process.exitCode = 1
})
