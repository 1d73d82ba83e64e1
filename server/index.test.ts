import { build } from 'esbuild'
import { expect, it } from 'vitest'

/** Everything a start loads before it can take an event: what index.ts imports, and what that imports. */
async function loadedFirst(): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: ['server/index.ts'],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    outdir: 'build/server',
    metafile: true,
    write: false,
  })
  const loaded = new Set(['server/index.ts'])
  for (const path of loaded)
    for (const { path: imported, kind } of metafile.inputs[path]?.imports ?? [])
      if (kind !== 'dynamic-import') loaded.add(imported)
  return [...loaded]
}

it('takes events before it loads what answers questions, sends exports or speaks to another store', async () => {
  const loaded = await loadedFirst()
  expect(loaded).toEqual(expect.arrayContaining(['server/ingest/route.ts', 'server/ingest/wal/open.ts', 'zod']))
  const slow =
    /^(trpc\/router\.ts|server\/doors\/(procedures|pages|questions|api-docs)|react|mongodb$|trpc-to-openapi|@trpc\/server|@aws-sdk|@opentelemetry\/sdk|vite$)/
  expect(loaded.filter((path) => slow.test(path))).toEqual([])
})
