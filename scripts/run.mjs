import { fileURLToPath } from 'node:url'
import { assertInstalled, requireNode } from './prepare.mjs'

// Runs a command of package.json from its source: `node scripts/run.mjs keys list` runs scripts/keys.ts. Plain
// JavaScript, so that it can report a missing prerequisite before anything needs it.

requireNode()
assertInstalled()
// Like `node --import tsx`, but with a clear error on an older Node or without the packages.
await import('tsx')
const [node, , name, ...args] = process.argv
const script = new URL(`./${name}.ts`, import.meta.url)
process.argv = [node, fileURLToPath(script), ...args]
await import(script.href)
