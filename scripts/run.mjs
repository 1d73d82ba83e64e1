import { fileURLToPath } from 'node:url'
import { assertInstalled, requireNode } from './prepare.mjs'

// Runs a command of package.json from its source: `node scripts/run.mjs keys list` is scripts/keys.ts. Plain JavaScript, so
// that it can say what is missing before anything needs it.

requireNode()
assertInstalled()
// As with `node --import tsx`, which an older Node does not know and which ends in a stack trace without the packages.
await import('tsx')
const [node, , name, ...args] = process.argv
const script = new URL(`./${name}.ts`, import.meta.url)
process.argv = [node, fileURLToPath(script), ...args]
await import(script.href)
