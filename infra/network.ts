import { ec2, getAvailabilityZonesOutput } from '@pulumi/aws'
import { all, interpolate, type Output } from '@pulumi/pulumi'
import type { Stack } from './stack.ts'
import { WrongSetting } from './wrong-setting.ts'

export interface Network {
  vpcId: Output<string>
  subnetId: Output<string>
  zone: Output<string>
  /** Suffix for names of resources in a configured zone, such as "_eu-central-1b"; '' if AWS chooses the zone. */
  suffix: string
  /** Security group of the server: inbound from CloudFront only, outbound to what it needs. */
  securityGroupId: Output<string>
}

/** A VPC with one public subnet. Only CloudFront can connect; there is no SSH (use Session Manager). */
export function createNetwork(stack: Stack, storePorts: { from: number; to: number } | null): Network {
  const named = (name: string) => ({ tags: { Name: `${stack.prefix}-${name}` } })
  const vpc = new ec2.Vpc('Vpc', {
    cidrBlock: '10.20.0.0/16',
    enableDnsSupport: true,
    // CloudFront's origin is the public DNS name of the Elastic IP.
    enableDnsHostnames: true,
    ...named('vpc'),
  })
  const { zone: chosen } = stack.settings
  const zone = chosen ?? firstZone(stack)
  // A new zone's subnet exists beside the old one during a deployment, so its address range depends on the zone letter.
  const suffix = chosen ? `_${chosen}` : ''
  const part = chosen ? chosen.charCodeAt(chosen.length - 1) - 96 : 0
  // Changing a subnet's zone would replace it with everything in it; ignore a different first zone in AWS's list.
  const subnet = new ec2.Subnet(
    `Subnet${suffix}`,
    {
      vpcId: vpc.id,
      cidrBlock: `10.20.${part}.0/24`,
      availabilityZone: zone,
      mapPublicIpOnLaunch: false,
      ...named('public'),
    },
    { ignoreChanges: ['availabilityZone'] },
  )
  const gateway = new ec2.InternetGateway('InternetGateway', { vpcId: vpc.id, ...named('internet') })
  const routes = new ec2.RouteTable('RouteTable', { vpcId: vpc.id, ...named('public') })
  new ec2.Route('InternetRoute', {
    routeTableId: routes.id,
    destinationCidrBlock: '0.0.0.0/0',
    gatewayId: gateway.id,
  })
  new ec2.RouteTableAssociation(`RouteTableAssociation${suffix}`, { routeTableId: routes.id, subnetId: subnet.id })
  // Keeps traffic for backups and releases inside AWS; a gateway endpoint is free.
  new ec2.VpcEndpoint('S3Endpoint', {
    vpcId: vpc.id,
    serviceName: interpolate`com.amazonaws.${stack.region}.s3`,
    vpcEndpointType: 'Gateway',
    routeTableIds: [routes.id],
    ...named('s3'),
  })
  // The VPC's default security group lets its members talk to each other; remove its rules.
  new ec2.DefaultSecurityGroup('DefaultSecurityGroup', { vpcId: vpc.id, ingress: [], egress: [], ...named('default') })
  return {
    vpcId: vpc.id,
    subnetId: subnet.id,
    zone: subnet.availabilityZone,
    suffix,
    securityGroupId: serverGroup(stack, vpc.id, storePorts),
  }
}

/** The first zone of the region that offers the instance type; not every zone has every type. */
function firstZone(stack: Stack): Output<string> {
  const { instanceType } = stack.settings
  const { names } = getAvailabilityZonesOutput({
    state: 'available',
    filters: [{ name: 'opt-in-status', values: ['opt-in-not-required'] }],
  })
  const { locations } = ec2.getInstanceTypeOfferingsOutput({
    locationType: 'availability-zone',
    filters: [{ name: 'instance-type', values: [instanceType] }],
  })
  return all([names, locations]).apply(([zones, offering]) => {
    const zone = zones.find((name) => offering.includes(name))
    if (zone === undefined)
      throw new WrongSetting(`VERITAS_INSTANCE_TYPE: no zone of this region has ${instanceType}. Take another.`)
    return zone
  })
}

function serverGroup(stack: Stack, vpcId: Output<string>, storePorts: { from: number; to: number } | null) {
  const group = new ec2.SecurityGroup('ServerGroup', {
    vpcId,
    description: 'Veritas server: HTTP from CloudFront, HTTPS out',
    // Its rules are separate resources, below.
    tags: { Name: `${stack.prefix}-server` },
  })
  const cloudfront = ec2.getManagedPrefixListOutput({ name: 'com.amazonaws.global.cloudfront.origin-facing' })
  // A single port: the prefix list counts as one rule per address, and a security group may have 60.
  const port = stack.settings.originName ? 443 : 80
  new ec2.SecurityGroupRule('FromCloudFront', {
    securityGroupId: group.id,
    type: 'ingress',
    description: 'From the origin-facing addresses of CloudFront',
    protocol: 'tcp',
    fromPort: port,
    toPort: port,
    prefixListIds: [cloudfront.id],
  })
  const out = (name: string, description: string, fromPort: number, toPort: number) =>
    new ec2.SecurityGroupRule(name, {
      securityGroupId: group.id,
      type: 'egress',
      description,
      protocol: 'tcp',
      fromPort,
      toPort,
      cidrBlocks: ['0.0.0.0/0'],
    })
  out('ToHttps', 'AWS, packages of Amazon Linux and npm', 443, 443)
  if (storePorts) out('ToStore', 'The MongoDB that StoreUrl names', storePorts.from, storePorts.to)
  return group.id
}
