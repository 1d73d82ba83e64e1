import { build as buildPages, install, main, requireNode } from './prepare.mjs'

const help = {
  about: `npm run build

Builds what runs: the pages into build/app and the server into build/server. npm start and npm test do it by
themselves when a source has changed.

Options
  --server-only   the server alone (a moment instead of many seconds)
  --help          this text`,
  examples: ['npm run build', 'npm run build -- --server-only'],
  exits: { 0: 'built', 1: 'it could not be built: lines say why' },
}

/** Bundles the server and its worker threads as JavaScript; packages are loaded from node_modules. */
async function buildServer(outdir = 'build/server') {
  const esbuild = await import('esbuild')
  const built = esbuild.build({
    entryPoints: {
      index: 'server/index.ts',
      worker: 'server/store/sqlite/worker.ts',
      'large-thread': 'server/ingest/large-thread.ts',
    },
    outdir,
    chunkNames: 'shared-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    sourcemap: true,
    logLevel: 'warning',
  })
  await built.catch((error) => {
    // esbuild has already printed the error and its line.
    if (error.errors) process.exit(1)
    throw error
  })
}

await main(help, async () => {
  requireNode()
  if (process.argv.includes('--server-only')) return buildServer(process.env.VERITAS_BUILD_DIR)
  await install()
  await buildPages()
})
