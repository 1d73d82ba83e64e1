import { interpolate } from '@pulumi/pulumi'
import { createAlarms, createTopics } from './alarms.ts'
import { createAssets, readAssetNames } from './assets.ts'
import { createSnapshotEvents, createSnapshots } from './backup.ts'
import { createBox, readBundle } from './box.ts'
import { createCdn } from './cdn.ts'
import { createOriginRecord } from './certificate.ts'
import { createDashboard } from './dashboards.ts'
import { createDeployRole } from './deploy-role.ts'
import { createServerRole } from './iam.ts'
import { createLogs } from './logs.ts'
import { createNetwork } from './network.ts'
import { createRelease, readArtifact } from './release.ts'
import { createParameters, type OpenSecret, originSecret, readSecretNames, storePorts } from './secrets.ts'
import { createAddress, createDataVolume, createServer } from './server.ts'
import { type Environment, readSettings } from './settings.ts'
import { createStack } from './stack.ts'
import { createStorage } from './storage.ts'

export interface Given {
  stage: string
  environment: Environment
  /** Path of the checkout. */
  root: string
  openSecret: OpenSecret
}

/**
 * Creates the whole stack of a stage. First checks everything that can be checked without AWS: settings, secrets, files
 * and the release. Throws WrongSetting before creating any resource.
 */
export function createVeritas({ stage, environment, root, openSecret }: Given) {
  const settings = readSettings(stage, environment)
  const secretNames = readSecretNames(settings, environment)
  const bundle = readBundle(root)
  const artifact = readArtifact(root, settings)
  const assetNames = readAssetNames(root)

  const stack = createStack(settings)
  const network = createNetwork(stack, settings.store === 'uri' ? storePorts(environment) : null)
  const storage = createStorage(stack)
  const logs = createLogs(stack)
  const role = createServerRole(stack, storage)
  const volume = createDataVolume(stack, network)
  const address = createAddress(stack)
  createOriginRecord(stack, address.ip)
  const assets = createAssets(root, assetNames, storage.assets)

  const origin = originSecret(secretNames, openSecret)
  const cdn = createCdn(stack, storage.assets, address.hostName, origin)
  const opened = (name: Parameters<OpenSecret>[0]) => (secretNames.has(name) ? openSecret(name) : undefined)
  const parameters = createParameters(
    stack,
    {
      ORIGIN_SECRET: origin,
      ORIGIN_SECRET_PREVIOUS: opened('OriginSecretPrevious'),
      SESSION_SECRET: opened('SessionSecret'),
      STORE_URL: opened('StoreUrl'),
    },
    {
      PUBLIC_URL: cdn.url,
      SITE_NAME: settings.site.name,
      SITE_TIME_ZONE: settings.site.timeZone,
      SITE_CURRENCY: settings.site.currency,
      ...storage.urls,
      METRICS_EXPORTER: 'otlp',
      METRICS_SET: 'essential',
    },
  )
  const box = createBox(stack, root, storage.releases, bundle, parameters, volume.id)
  const before = [box.bundle, ...logs, ...parameters.secrets]
  const server = createServer(stack, network, role, volume, address, box.setup, before)
  const release = createRelease(stack, artifact, storage.releases, box, parameters, server, assets)

  const topics = createTopics(stack)
  const snapshots = createSnapshots(stack, volume)
  createSnapshotEvents(stack, snapshots, topics.here)
  const watched = { instanceId: server.instanceId, distributionId: cdn.id, snapshotPolicyId: snapshots.id }
  // After the release: alarms that treat missing data as wrong would otherwise go off before it.
  createAlarms(stack, topics, watched, [release])
  createDashboard(stack, watched)
  const deployRole = createDeployRole(stack, storage, cdn.id)
  return {
    url: cdn.url,
    version: artifact.version,
    instance: server.instanceId,
    distribution: cdn.id,
    // If the DNS zone is not managed here, somebody has to create this record.
    ...(settings.domain && !settings.hostedZoneId ? { cname: interpolate`${settings.domain} -> ${cdn.target}` } : {}),
    ...(deployRole ? { deployRole: deployRole.arn } : {}),
  }
}
