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

/** A release archive, named by the hash of its content, and the version that /health reports. */
export type Artifact = z.infer<typeof printedArtifact>

/**
 * The configured release, or one built from this checkout for the stage's CPU. The same sources give the same file, so
 * deploying them again changes nothing. Throws WrongSetting if it cannot be built or read, or if the checksum differs.
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
      // Its messages on standard error are shown.
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

/** Seconds after which `sst deploy` reports an association as failed; the first boot installs packages. */
const setupSeconds = 1500
const releaseSeconds = 900

/** A document's parameter. Its pattern must exclude all shell metacharacters, since it becomes part of a command. */
const parameter = (description: string, allowedPattern: string) => ({ type: 'String', description, allowedPattern })

/**
 * The provider waits for success only when it creates an association, not when it changes one. So each change creates a
 * new one; otherwise a failing release would be reported as a success.
 */
const waitedFor = { replaceOnChanges: ['*'], deleteBeforeReplace: true }

/**
 * Runs setup and release on the instance through Systems Manager associations. A changed parameter runs its association
 * at once; if that fails, `sst deploy` fails and the previous release keeps serving.
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
      // Needed although the release depends on the setup: on a booting instance that may count as a success too early.
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
