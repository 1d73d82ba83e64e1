import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { s3, ssm } from '@pulumi/aws'
import { asset, jsonStringify, type Output, type Resource } from '@pulumi/pulumi'
import { z } from 'zod'
import { sha256 } from './archive.ts'
import type { Box } from './box.ts'
import type { Parameters } from './secrets.ts'
import type { Server } from './server.ts'
import type { Settings } from './settings.ts'
import type { Stack } from './stack.ts'
import type { Bucket } from './storage.ts'
import { WrongSetting } from './wrong-setting.ts'

const printedArtifact = z.object({
  path: z.string().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  version: z.string().regex(/^[0-9A-Za-z][0-9A-Za-z.+_-]{0,127}$/),
})

/** A release: a file that is called by its content, and the version that /health will tell. */
export type Artifact = z.infer<typeof printedArtifact>

/**
 * The release that was made before, or one of this checkout for the processor of the stage. The same sources make the
 * same file, so a second deployment of them changes nothing. Throws a WrongSetting when it cannot be made, cannot be
 * read or has another checksum.
 */
export function readArtifact(root: string, settings: Pick<Settings, 'architecture' | 'artifact'>): Artifact {
  const made = settings.artifact ?? pack(root, settings.architecture === 'arm64' ? 'arm64' : 'x64')
  const path = resolve(root, made.path)
  let content: Buffer
  try {
    content = readFileSync(path)
  } catch {
    throw new WrongSetting(`Nothing was deployed. VERITAS_ARTIFACT: ${path} cannot be read.`)
  }
  const actual = sha256(content)
  if (actual !== made.sha256)
    throw new WrongSetting(
      `Nothing was deployed. ${path} has the checksum ${actual}, not ${made.sha256}. Make it anew with npm run package.`,
    )
  return { ...made, path }
}

function pack(root: string, cpu: 'x64' | 'arm64'): Artifact {
  let printed: string
  try {
    printed = execFileSync('npm', ['run', '--silent', 'package', '--', '--json', '--cpu', cpu], {
      cwd: root,
      encoding: 'utf8',
      // What it has to say besides goes to whoever deploys.
      stdio: ['ignore', 'pipe', 'inherit'],
      shell: process.platform === 'win32',
    })
  } catch (error) {
    throw new WrongSetting(
      `Nothing was deployed. The release cannot be packed: npm run package -- --cpu ${cpu} says why (${(error as Error).message.split('\n')[0]}).`,
    )
  }
  const made = printedArtifact.safeParse(jsonOf(printed))
  if (made.success) return made.data
  throw new WrongSetting(
    'Nothing was deployed. npm run package -- --json printed no release with its path, sha256 and version.',
  )
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** How long an association may take until `sst deploy` calls it failed: the first boot installs packages. */
const setupSeconds = 1500
const releaseSeconds = 900

/** Every parameter of a document ends up in a command line, so it may hold only what cannot mean anything to a shell. */
const parameter = (description: string, allowedPattern: string) => ({ type: 'String', description, allowedPattern })

/**
 * The provider waits for the success of an association when it makes one, never when it changes one. So every change is
 * a new association, and a release that fails is not told as one that serves.
 */
const waitedFor = { replaceOnChanges: ['*'], deleteBeforeReplace: true }

/**
 * Brings setup and release to the instance: a changed parameter runs its association at once, and one that fails fails
 * `sst deploy` while what served before serves on.
 */
export function createRelease(
  stack: Stack,
  made: Artifact,
  releases: Bucket,
  box: Box,
  parameters: Parameters,
  server: Server,
  before: Resource[],
): ssm.Association {
  const uploaded = new s3.BucketObjectv2('Release', {
    bucket: releases.id,
    key: `releases/${made.sha256}.tar.gz`,
    source: new asset.FileAsset(made.path),
    sourceHash: made.sha256,
    contentType: 'application/gzip',
    serverSideEncryption: 'AES256',
  })
  const setupDocument = createDocument(stack, 'setup', 'Makes the instance ready for releases', {
    parameters: {},
    timeoutSeconds: setupSeconds,
    command: box.setup,
  })
  const setup = new ssm.Association(
    'SetupAssociation',
    {
      associationName: `${stack.prefix}-setup`,
      name: setupDocument.name,
      documentVersion: setupDocument.latestVersion,
      targets: [{ key: 'InstanceIds', values: [server.instanceId] }],
      waitForSuccessTimeoutSeconds: setupSeconds,
    },
    { dependsOn: [box.bundle, ...server.attached], ...waitedFor },
  )
  const releaseDocument = createDocument(stack, 'release', 'Switches to a release without a lost request', {
    parameters: {
      bucket: parameter('Bucket of releases', '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$'),
      key: parameter('Key of the artifact', '^releases/[0-9a-f]{64}\\.tar\\.gz$'),
      sha256: parameter('Checksum of the artifact', '^[0-9a-f]{64}$'),
      version: parameter('Version that /health will tell', '^[0-9A-Za-z][0-9A-Za-z.+_-]{0,127}$'),
      settings: parameter('Revision of the parameters: another one starts the release again', '^[0-9.]*$'),
    },
    timeoutSeconds: releaseSeconds,
    command: [
      '#!/usr/bin/env bash',
      '# Parameters {{ settings }}',
      // An association of an instance that has just begun to boot may count as a success before it ran.
      '# At the first boot the setup may still be at work.',
      'for _ in $(seq 600); do',
      '  if [ -x /opt/veritas/bin/deploy.sh ] && flock --nonblock /run/veritas-box.lock true; then break; fi',
      '  sleep 1',
      'done',
      'exec /opt/veritas/bin/deploy.sh {{ bucket }} {{ key }} {{ sha256 }} {{ version }}',
      '',
    ].join('\n'),
  })
  return new ssm.Association(
    'ReleaseAssociation',
    {
      associationName: `${stack.prefix}-release`,
      name: releaseDocument.name,
      documentVersion: releaseDocument.latestVersion,
      targets: [{ key: 'InstanceIds', values: [server.instanceId] }],
      parameters: {
        bucket: releases.id,
        key: uploaded.key,
        sha256: made.sha256,
        version: made.version,
        settings: parameters.revision,
      },
      waitForSuccessTimeoutSeconds: releaseSeconds,
    },
    { dependsOn: [setup, uploaded, ...before], ...waitedFor },
  )
}

function createDocument(
  stack: Stack,
  name: 'setup' | 'release',
  description: string,
  {
    parameters,
    timeoutSeconds,
    command,
  }: { parameters: object; timeoutSeconds: number; command: string | Output<string> },
): ssm.Document {
  const content = jsonStringify({
    schemaVersion: '2.2',
    description: `Veritas ${stack.stage}: ${description}`,
    parameters,
    mainSteps: [
      {
        name,
        action: 'aws:runShellScript',
        precondition: { StringEquals: ['platformType', 'Linux'] },
        inputs: { timeoutSeconds: String(timeoutSeconds), runCommand: [command] },
      },
    ],
  })
  return new ssm.Document(`${name === 'setup' ? 'Setup' : 'Release'}Document`, {
    name: `${stack.prefix}-${name}`,
    documentType: 'Command',
    documentFormat: 'JSON',
    targetType: '/AWS::EC2::Instance',
    content,
  })
}
