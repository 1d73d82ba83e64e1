import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { s3 } from '@pulumi/aws'
import { all, interpolate, type Output } from '@pulumi/pulumi'
import { type ArchiveFile, archive, sha256 } from './archive.ts'
import type { Parameters } from './secrets.ts'
import type { Stack } from './stack.ts'
import type { Bucket } from './storage.ts'
import { WrongSetting } from './wrong-setting.ts'

/** The archive of scripts, units and templates from infra/box for the instance. */
export interface Bundle {
  content: Buffer
  sha256: string
  key: string
}

/** Packs infra/box without tests and Markdown. Throws WrongSetting if install.sh is missing. */
export function readBundle(root: string): Bundle {
  const folder = join(root, 'infra/box')
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(test\.\w+|md)$/.test(entry.name))
    .map((entry) => entry.name)
  if (!names.includes('install.sh'))
    throw new WrongSetting('Nothing was deployed. infra/box/install.sh is missing: is this a whole copy of Veritas?')
  const files = names.map(
    (name): ArchiveFile => ({
      path: name,
      content: readFileSync(join(folder, name)),
      // By file name: checkouts on Windows have no file modes.
      isExecutable: name.endsWith('.sh'),
    }),
  )
  const content = archive(files)
  const digest = sha256(content)
  return { content, sha256: digest, key: `box/${digest}.tar.gz` }
}

export interface Box {
  /** Setup script, for the first boot and for Systems Manager when it changes. Contains no secrets. */
  setup: Output<string>
  bundle: s3.BucketObjectv2
}

/** Uploads the bundle and generates the script that installs it with the settings of this stage. */
export function createBox(
  stack: Stack,
  root: string,
  releases: Bucket,
  bundle: Bundle,
  parameters: Parameters,
  dataVolumeId: Output<string>,
): Box {
  const uploaded = new s3.BucketObjectv2('BoxBundle', {
    bucket: releases.id,
    key: bundle.key,
    contentBase64: bundle.content.toString('base64'),
    contentType: 'application/gzip',
    serverSideEncryption: 'AES256',
  })
  const { settings } = stack
  const lines = [
    `STAGE=${stack.stage}`,
    interpolate`REGION=${stack.region}`,
    interpolate`BUCKET=${releases.id}`,
    `PARAMETER_PREFIX=${parameters.prefix}`,
    interpolate`DATA_VOLUME_ID=${dataVolumeId}`,
    // Included so that a changed size changes the script; install.sh then grows the file system.
    `DATA_VOLUME_GIB=${settings.dataVolumeGib}`,
    ...(settings.originName ? [`ORIGIN_NAME=${settings.originName}`, 'LISTEN_PORT=443'] : []),
    `STORE=${settings.store}`,
    `ROLES=${settings.roles}`,
    `WEB_PORT=${settings.webPort}`,
    `INSTANCES=${settings.instances}`,
    `MAX_MEMORY=${settings.maxMemory}`,
  ]
  const text = readFileSync(join(root, 'infra/user-data.sh'), 'utf8').replaceAll('\r\n', '\n')
  const values = { BUCKET: releases.id, KEY: bundle.key, SHA256: bundle.sha256, REGION: stack.region }
  const setup = all([values, all(lines)]).apply(([known, settled]) =>
    fill(text, { ...known, SETTINGS: settled.join('\n') }),
  )
  return { setup, bundle: uploaded }
}

/** Replaces @NAME@ placeholders. Throws if a placeholder has no value or a value has no placeholder. */
export function fill(text: string, values: Record<string, string>): string {
  const used = new Set<string>()
  const filled = text.replace(/@([A-Z][A-Z0-9]*)@/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`infra/user-data.sh asks for @${name}@, which nobody knows.`)
    used.add(name)
    return value
  })
  const idle = Object.keys(values).filter((name) => !used.has(name))
  if (idle.length > 0) throw new Error(`infra/user-data.sh has no place for ${idle.join(', ')}.`)
  return filled
}
