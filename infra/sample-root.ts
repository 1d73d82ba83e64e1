import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256 } from './archive.ts'
import type { Environment } from './settings.ts'

const checkout = fileURLToPath(new URL('..', import.meta.url))
const artifact = Buffer.from('the file of a release')
const version = '1.2.3+0123456789ab'

/** A temporary folder that looks like a checkout with a build and a release, so that tests need neither. */
export interface SampleRoot {
  path: string
  /** Settings that point to its release. */
  release: Environment
  close: () => void
}

export function createSampleRoot(): SampleRoot {
  const path = mkdtempSync(join(tmpdir(), 'veritas-infra-'))
  const assets = join(path, 'build/app/client/assets')
  mkdirSync(assets, { recursive: true })
  for (const name of ['entry-4f2a.js', 'entry-4f2a.js.map', 'root-91cc.css', 'letters-07be.woff2'])
    writeFileSync(join(assets, name), `content of ${name}`)
  cpSync(join(checkout, 'infra/box'), join(path, 'infra/box'), { recursive: true })
  cpSync(join(checkout, 'infra/user-data.sh'), join(path, 'infra/user-data.sh'))
  writeFileSync(join(path, 'release.tar.gz'), artifact)
  // A stand-in for npm run package.
  const printed = { path: 'release.tar.gz', sha256: sha256(artifact), version }
  writeFileSync(join(path, 'print.mjs'), `console.log(${JSON.stringify(JSON.stringify(printed))})`)
  writeFileSync(join(path, 'package.json'), JSON.stringify({ scripts: { package: 'node print.mjs' } }))
  const release = {
    VERITAS_ARTIFACT: 'release.tar.gz',
    VERITAS_ARTIFACT_SHA256: sha256(artifact),
    VERITAS_VERSION: version,
  }
  return { path, release, close: () => rmSync(path, { recursive: true, force: true }) }
}
