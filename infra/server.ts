import { ebs, ec2, ssm } from '@pulumi/aws'
import type { Output, Resource } from '@pulumi/pulumi'
import type { ServerRole } from './iam.ts'
import type { Network } from './network.ts'
import type { Stack } from './stack.ts'

/** Tag by whose value Data Lifecycle Manager finds the data volume of a stage. */
export const snapshotTag = 'veritas:snapshots'

/** The volume for the log and the store. It is created before the instance and outlives it. */
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
    // Do not replace the volume when its source snapshot is deleted or no longer configured.
    { protect: isProtected, retainOnDelete: isProtected, ignoreChanges: ['snapshotId'] },
  )
}

export interface Address {
  id: Output<string>
  /** Public DNS name by which CloudFront reaches the instance; it stays when the instance is replaced. */
  hostName: Output<string>
  ip: Output<string>
}

export function createAddress(stack: Stack): Address {
  const address = new ec2.Eip('Address', { domain: 'vpc', tags: { Name: `${stack.prefix}-server` } })
  return { id: address.id, hostName: address.publicDns, ip: address.publicIp }
}

export interface Server {
  instanceId: Output<string>
  /** Attachments of volume and address, which a release must wait for. */
  attached: Resource[]
}

/** Creates the instance, with Amazon Linux 2023. */
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
    // Another number creates a new instance with the newest image; the old one ends once the volume has moved.
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
        // Not volumeTags: those would remove the data volume's tags, and with them its snapshots.
        tags: { Name: `${stack.prefix}-system`, 'veritas:stage': stack.stage },
      },
      // A new instance has no CPU credits and would be extremely slow while it installs packages. An alarm on credits
      // shows when this costs extra.
      ...(isBurstable(instanceType) ? { creditSpecification: { cpuCredits: 'unlimited' } } : {}),
      // Prevents mistakes in the console; a deployment may still replace the instance (forceDestroy).
      disableApiTermination: stack.settings.isProtected,
      forceDestroy: true,
      tags: { Name: `${stack.prefix}-server`, 'veritas:stage': stack.stage },
    },
    {
      // A newer image is used for the next instance, not during a release. A changed setup script reaches the instance
      // through Systems Manager.
      ignoreChanges: ['ami', 'userData', 'availabilityZone'],
      dependsOn: [role.ready, ...before],
    },
  )
  const attachment = new ec2.VolumeAttachment(
    'DataAttachment',
    { instanceId: instance.id, volumeId: volume.id, deviceName: '/dev/sdf', stopInstanceBeforeDetaching: true },
    // A volume can be attached to one instance only, so detach it from the old one first.
    { deleteBeforeReplace: true },
  )
  const association = new ec2.EipAssociation('AddressAssociation', {
    instanceId: instance.id,
    allocationId: address.id,
  })
  return { instanceId: instance.id, attached: [attachment, association] }
}

/** Whether the instance type uses CPU credits. */
export function isBurstable(instanceType: string): boolean {
  return /^t\d/.test(instanceType)
}
