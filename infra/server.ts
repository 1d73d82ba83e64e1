import { ebs, ec2, ssm } from '@pulumi/aws'
import type { Output, Resource } from '@pulumi/pulumi'
import type { ServerRole } from './iam.ts'
import type { Network } from './network.ts'
import type { Stack } from './stack.ts'

/** By its value Data Lifecycle Manager finds the data volume of a stage. */
export const snapshotTag = 'veritas:snapshots'

/** Where log and store are. Made before the instance, and outlives it. */
export function createDataVolume(stack: Stack, network: Network): ebs.Volume {
  const { isProtected, dataVolumeGib, dataSnapshot } = stack.settings
  return new ebs.Volume(
    `DataVolume${network.suffix}`,
    {
      ...(dataSnapshot ? { snapshotId: dataSnapshot } : {}),
      availabilityZone: network.zone,
      size: dataVolumeGib,
      type: 'gp3',
      encrypted: true,
      tags: { Name: `${stack.prefix}-data`, 'veritas:stage': stack.stage, [snapshotTag]: `${stack.stage}-data` },
    },
    // What a volume was made of is no reason to make it anew once that snapshot is gone, or no longer named.
    { protect: isProtected, retainOnDelete: isProtected, ignoreChanges: ['snapshotId'] },
  )
}

export interface Address {
  id: Output<string>
  /** The name by which CloudFront reaches the instance; it stays when the instance is replaced. */
  hostName: Output<string>
  ip: Output<string>
}

export function createAddress(stack: Stack): Address {
  const address = new ec2.Eip('Address', { domain: 'vpc', tags: { Name: `${stack.prefix}-server` } })
  return { id: address.id, hostName: address.publicDns, ip: address.publicIp }
}

export interface Server {
  instanceId: Output<string>
  /** Volume and address are attached: a release may come. */
  attached: Resource[]
}

/** The one instance, with Amazon Linux 2023. */
export function createServer(
  stack: Stack,
  network: Network,
  role: ServerRole,
  volume: ebs.Volume,
  address: Address,
  setup: Output<string>,
  before: Resource[],
): Server {
  const { architecture, instanceType, instanceNumber } = stack.settings
  const image = ssm.getParameterOutput({
    name: `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${architecture}`,
  })
  const instance = new ec2.Instance(
    // Another number is another instance, with the newest image; the one before is ended once this one has the volume.
    instanceNumber === 1 ? 'Server' : `Server${instanceNumber}`,
    {
      ami: image.insecureValue,
      instanceType,
      subnetId: network.subnetId,
      vpcSecurityGroupIds: [network.securityGroupId],
      iamInstanceProfile: role.instanceProfileName,
      userData: setup,
      metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 1 },
      rootBlockDevice: {
        volumeType: 'gp3',
        volumeSize: 12,
        encrypted: true,
        deleteOnTermination: true,
        // Not volumeTags: they would take the tags of the data volume away, and its snapshots with them.
        tags: { Name: `${stack.prefix}-system`, 'veritas:stage': stack.stage },
      },
      // A new instance has no credits, and installs packages first of all: without this it would crawl. The alarm of
      // credits tells when it costs.
      ...(isBurstable(instanceType) ? { creditSpecification: { cpuCredits: 'unlimited' } } : {}),
      // Against mistakes in the console: a deployment that replaces it may end it all the same.
      disableApiTermination: stack.settings.isProtected,
      forceDestroy: true,
      tags: { Name: `${stack.prefix}-server`, 'veritas:stage': stack.stage },
    },
    {
      // A newer image comes with the next instance, not in the middle of a release;
      // another setup reaches the instance through Systems Manager.
      ignoreChanges: ['ami', 'userData', 'availabilityZone'],
      dependsOn: [role.ready, ...before],
    },
  )
  const attachment = new ec2.VolumeAttachment(
    'DataAttachment',
    { instanceId: instance.id, volumeId: volume.id, deviceName: '/dev/sdf', stopInstanceBeforeDetaching: true },
    // A volume is attached to one instance: for another one it must leave the first.
    { deleteBeforeReplace: true },
  )
  const association = new ec2.EipAssociation('AddressAssociation', {
    instanceId: instance.id,
    allocationId: address.id,
  })
  return { instanceId: instance.id, attached: [attachment, association] }
}

/** Sizes that live on CPU credits. */
export function isBurstable(instanceType: string): boolean {
  return /^t\d/.test(instanceType)
}
