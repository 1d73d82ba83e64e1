import { readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { readBundle } from '../../infra/box.ts'
import { madePassword, type Recorded, record } from '../../infra/mocks.ts'
import { createSampleRoot } from '../../infra/sample-root.ts'
import type { Scenario } from '../../infra/scenarios.ts'
import type { Environment } from '../../infra/settings.ts'
import { snapshotOf } from '../../infra/snapshot.ts'
import { platform, root, withoutSettings } from './platform.ts'

type Pulumi = typeof import('@pulumi/pulumi')

/** The exports of the bundle. */
interface Config {
  app: (input: { stage: string }) => Promise<Record<string, unknown>>
  run: () => Promise<Record<string, unknown>>
}

/**
 * Runs the real sst.config.ts for a stage like SST does, with AWS replaced by mocks, on a sample build and release.
 * Resolves to a text description of the resources it would create.
 */
export async function execute({ stage, environment }: Scenario): Promise<string> {
  const sample = createSampleRoot()
  const outfile = join(platform, `check.${stage}.${process.pid}.mjs`)
  const [before, folder] = [{ ...process.env }, process.cwd()]
  try {
    process.env = { ...withoutSettings(before), ...environment }
    const app = await appOf(stage, outfile)
    const pulumi = createRequire(join(platform, 'package.json'))('@pulumi/pulumi') as Pulumi
    const config = await bundle(outfile, stage, app, sample.path)
    const resources = await record(pulumi, stage, () => config.run())
    const box = readBundle(sample.path)
    const shown: Recorded = {
      type: 'app',
      name: stage,
      inputs: app,
      ...{ protect: false, retainOnDelete: false, ignoreChanges: [] },
      ...{ replaceOnChanges: [], deleteBeforeReplace: false },
    }
    return snapshotOf([shown, ...resources], {
      [box.content.toString('base64')]: 'infra/box as tar.gz',
      [box.sha256]: 'sha256 of infra/box',
      [sample.path]: 'root',
      ...secretsOf(environment),
    })
  } finally {
    process.env = before
    process.chdir(folder)
    rmSync(outfile, { force: true })
    rmSync(`${outfile}.map`, { force: true })
    sample.close()
  }
}

function secretsOf(environment: Environment): Record<string, string> {
  const given = Object.entries(environment).flatMap(([name, value]) =>
    name.startsWith('SST_SECRET_') && value ? [[value, `secret ${name.slice('SST_SECRET_'.length)}`]] : [],
  )
  return Object.fromEntries([...given, [madePassword, 'random password']])
}

/** The result of app(), which SST runs first, in a separate program without Pulumi. */
async function appOf(stage: string, outfile: string): Promise<Record<string, unknown>> {
  await bundled({
    outfile,
    code: `import mod from ${JSON.stringify(join(root, 'sst.config.ts'))}\nexport const app = mod.app`,
    banner: 'function $config(input) { return input }',
    define: {},
    inject: [],
    globals: '',
  })
  const { app } = (await import(`${pathToFileURL(outfile)}?app`)) as Config
  return app({ stage })
}

/** Bundles the program for Pulumi like SST's run.go, but exports it instead of running it. */
async function bundle(outfile: string, stage: string, app: Record<string, unknown>, sampleRoot: string) {
  const paths = { home: sampleRoot, root: sampleRoot, work: join(root, '.sst'), platform }
  await bundled({
    outfile,
    code: [
      `import { run as start } from ${JSON.stringify(join(platform, 'src/auto/run.ts'))}`,
      `import mod from ${JSON.stringify(join(root, 'sst.config.ts'))}`,
      'export const run = () => start(mod.run)',
    ].join('\n'),
    banner: '',
    define: {
      $app: JSON.stringify({ ...app, stage }),
      $cli: JSON.stringify({ command: 'deploy', rpc: '', paths, state: { version: {} } }),
      $dev: 'false',
    },
    inject: [join(platform, 'src/shim/run.js')],
    globals: [
      'import * as aws from "@pulumi/aws";',
      `import * as sst from ${JSON.stringify(join(platform, 'src/components'))};`,
    ].join('\n'),
  })
  return (await import(`${pathToFileURL(outfile)}?run`)) as Config
}

interface Source {
  outfile: string
  code: string
  banner: string
  define: Record<string, string>
  inject: string[]
  globals: string
}

async function bundled({ outfile, code, banner, define, inject, globals }: Source): Promise<void> {
  await build({
    stdin: { contents: code, resolveDir: root, sourcefile: 'eval.ts', loader: 'ts' },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    sourcemap: 'linked',
    banner: { js: `${requireForBundles}\n${banner}` },
    define,
    inject,
    nodePaths: [join(platform, 'node_modules')],
    external: [
      '@pulumi/*',
      'undici',
      '@pulumiverse/*',
      '@sst-provider/*',
      '@aws-sdk/*',
      'esbuild',
      'archiver',
      'glob',
      'vite',
    ],
    plugins: globals === '' ? [withoutImports] : [withGlobals(globals)],
    logLevel: 'error',
  })
}

const requireForBundles = `
import { createRequire as topLevelCreateRequire } from 'module'
const require = topLevelCreateRequire(import.meta.url)
import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from 'url'
const __filename = topLevelFileUrlToPath(import.meta.url)
const __dirname = topLevelFileUrlToPath(new topLevelURL('.', import.meta.url))`

/** SST does not allow imports at the top of its configuration file. */
const withoutImports: Plugin = {
  name: 'no-imports-in-sst-config',
  setup: (on) =>
    on.onResolve({ filter: /.*/ }, ({ importer, kind, path }) =>
      importer.endsWith('sst.config.ts') && kind === 'import-statement'
        ? { errors: [{ text: `sst.config.ts imports ${path} at its head: import it inside of run().` }] }
        : undefined,
    ),
}

/** SST prepends imports of its providers to every file, ours too, so that a duplicate name fails here as well. */
function withGlobals(globals: string): Plugin {
  return {
    name: 'globals-of-sst',
    setup: (on) =>
      on.onLoad({ filter: /\.(js|ts|jsx|tsx)$/ }, ({ path }) =>
        path.includes('.sst')
          ? undefined
          : { contents: `${globals}\n${readFileSync(path, 'utf8')}`, loader: 'default' },
      ),
  }
}
