import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pack } from '../../scripts/artifact.ts'
import type { Box } from './box.ts'

const checkout = fileURLToPath(new URL('../..', import.meta.url))

/** What is wrong with a release, if anything. */
export type Behaviour =
  | 'good'
  | 'migration fails'
  | 'never healthy'
  | 'never listens'
  | 'tells another version'
  | 'dies under PM2'
  | 'never listens under PM2'
  | 'never healthy under PM2'

/** A server of a few lines with the /health of the real one, and the settings it was started with. */
const server = (behaviour: Behaviour, knows: number | null) => `
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
if (existsSync('.env')) process.loadEnvFile('.env')
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const isUnderPm2 = process.env.pm_id !== undefined
const behaviour = ${JSON.stringify(behaviour)}
const knows = ${knows}
const store = process.env.DATA_DIR + '/veritas.db'
if (knows !== null) {
  if (existsSync(store) && Number(readFileSync(store, 'utf8')) > knows) {
    console.error('Veritas cannot start: The store was written by a newer Veritas: start that version.')
    process.exit(1)
  }
  writeFileSync(store, String(knows))
}
const is = (what) => behaviour === what || (behaviour === what + ' under PM2' && isUnderPm2)
if (behaviour === 'migration fails') {
  console.error('Veritas cannot start: migration 7 of the store failed: no such column: total')
  process.exit(1)
}
if (behaviour === 'dies under PM2' && isUnderPm2) setTimeout(() => process.exit(1), 300)
else if (is('never listens')) setInterval(() => {}, 1000)
else {
  const status = is('never healthy') ? 'unready' : 'ok'
  const server = createServer((req, res) => {
    console.log('asked ' + req.url)
    res.setHeader('connection', 'close')
    res.end(JSON.stringify({ status, version: is('tells another version') ? '9.9.9' : version, site: process.env.SITE_NAME }))
  })
  server.listen(Number(process.env.PORT), process.env.HOST, () => process.send?.('ready'))
  // As the real server it stays for a moment: a connection that PM2 is just handing over goes to another process only if
  // this one says that it does not take it.
  const end = () => server.close(() => setTimeout(() => process.exit(), 1000))
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
}
`

/** npm run store of a store that is nothing but the number of its format; each next one changes it. */
const storeTool = (knows: number, waits: boolean) => `
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
process.loadEnvFile('.env')
const folder = process.env.DATA_DIR
const store = folder + '/veritas.db'
const format = Number(readFileSync(store, 'utf8'))
const kept = readdirSync(folder).find((name) => name.includes('.before-'))
const [verb, , to] = process.argv.slice(2)
if (verb === 'status') {
  const need = format > ${knows} ? 'newer' : format < ${knows} ? 'changes' : 'nothing'
  console.log(JSON.stringify({ need, copy: kept ? { at: folder + '/' + kept } : null }))
} else if (verb === 'copy') copyFileSync(store, to + '/veritas.db')
else if (verb === 'prepare') {
  copyFileSync(store, store + '.before-${knows}')
  writeFileSync(store, '${knows}')
  while (${waits} && !existsSync(folder + '/go-on')) await new Promise((resolve) => setTimeout(resolve, 50))
} else {
  renameSync(store, store + '.after-' + format)
  renameSync(folder + '/' + kept, store)
}
`

/** Fails as its settings say. */
const backup = `
process.loadEnvFile('.env')
console.log('backing up ' + process.env.DATA_DIR + ' ' + process.argv.slice(2).join(' ').replace('--', ''))
process.exitCode = Number(process.env.BACKUP_EXIT_CODE ?? 0)
`

export interface Uploaded {
  bucket: string
  key: string
  sha256: string
  version: string
}

/** Packs a release as npm run package does and puts it into the box's bucket. */
export async function uploadSmall(
  box: Box,
  version: string,
  behaviour: Behaviour = 'good',
  {
    knows = null,
    hasTool = knows !== null,
    waits = false,
  }: {
    knows?: number | null
    hasTool?: boolean
    /** Its steps end once there is a file go-on in the folder of data. */
    waits?: boolean
  } = {},
): Promise<Uploaded> {
  return uploadFolder(box, version, (folder) => {
    mkdirSync(join(folder, 'build', 'server'), { recursive: true })
    writeFileSync(join(folder, 'build', 'server', 'index.js'), server(behaviour, knows))
    writeFileSync(join(folder, 'build', 'backup.js'), backup)
    if (!hasTool || knows === null) return
    mkdirSync(join(folder, 'scripts'))
    writeFileSync(join(folder, 'scripts', 'store.js'), storeTool(knows, waits))
  })
}

/** The checkout's own build as it is now, in a folder, for releases that differ in their version alone. */
export function copyBuild(folder: string): void {
  for (const part of ['server', 'app']) cpSync(join(checkout, 'build', part), join(folder, part), { recursive: true })
}

/** A release of such a build under any version; its packages are those of the checkout. */
export async function uploadBuild(box: Box, version: string, build: string): Promise<Uploaded> {
  return uploadFolder(box, version, (folder) => {
    cpSync(build, join(folder, 'build'), { recursive: true })
    // Not packed: the link is, and leads to them on this machine.
    symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'))
  })
}

async function uploadFolder(box: Box, version: string, fill: (folder: string) => void): Promise<Uploaded> {
  const folder = mkdtempSync(join(tmpdir(), 'veritas-release-'))
  try {
    const content = join(folder, 'content')
    const scripts = { backup: 'node build/backup.js' }
    mkdirSync(content)
    fill(content)
    writeFileSync(join(content, 'package.json'), JSON.stringify({ name: 'veritas', version, type: 'module', scripts }))
    cpSync(join(checkout, 'ecosystem.config.cjs'), join(content, 'ecosystem.config.cjs'))
    const file = join(folder, 'release.tar.gz')
    const { sha256 } = await pack(content, file)
    const key = `releases/${sha256}.tar.gz`
    box.upload(key, file)
    return { bucket: 'veritas-test-releases', key, sha256, version }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
