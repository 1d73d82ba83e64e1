/** What the mocks say a password is that Pulumi makes. */
export const madePassword = 'made-by-random-made-by-random-made'

/** What a resource was asked to be. */
export interface Recorded {
  type: string
  name: string
  /** As the provider would get them; a value that Pulumi keeps secret is { secret: value }. */
  inputs: Record<string, unknown>
  protect: boolean
  retainOnDelete: boolean
  ignoreChanges: string[]
  /** Properties whose change makes another resource; * for all. */
  replaceOnChanges: string[]
  deleteBeforeReplace: boolean
}

type Pulumi = typeof import('@pulumi/pulumi')

/** How Pulumi marks a value as secret on its way to a provider. */
const SIGNATURE = '4dabf18193072939515e22adb298388d'

/**
 * Runs a program of resources without AWS, and tells what it asked for, by type and name. Takes the Pulumi that the
 * program itself imports. Rejects with what the program throws.
 */
export async function record(pulumi: Pulumi, stage: string, program: () => unknown): Promise<Recorded[]> {
  const recorded = new Map<string, Recorded>()
  const options = new Map<string, ResourceOptions>()
  const failures: unknown[] = []
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, custom }) => {
        // Components of SST itself have no inputs that matter.
        if (custom !== false) {
          const key = `${type} ${name}`
          if (recorded.has(key)) throw new Error(`There are two resources ${key}.`)
          recorded.set(key, {
            type,
            name,
            inputs: readable(inputs) as Record<string, unknown>,
            ...told(options.get(key)),
          })
        }
        return { id: `${name}-id`, state: { ...inputs, ...answered(type, name) } }
      },
      call: ({ token, inputs }) => called(token, inputs),
    },
    'veritas',
    stage,
  )
  await pulumi.runtime.runInPulumiStack(async () => {
    pulumi.runtime.registerStackTransformation(({ type, name, opts }) => {
      // The object itself: SST's own transformations come later and change it.
      options.set(`${type} ${name}`, opts)
      return undefined
    })
    try {
      return (await program()) as Record<string, unknown>
    } catch (error) {
      // Held back until the end: Pulumi itself would leave a rejection that nobody handles.
      failures.push(error)
      return undefined
    }
  })
  await pulumi.runtime.disconnect()
  if (failures.length > 0) throw failures[0]
  return [...recorded.values()].sort((a, b) => (`${a.type} ${a.name}` < `${b.type} ${b.name}` ? -1 : 1))
}

interface ResourceOptions {
  protect?: unknown
  retainOnDelete?: unknown
  ignoreChanges?: string[]
  replaceOnChanges?: string[]
  deleteBeforeReplace?: unknown
}

function told(options: ResourceOptions = {}) {
  const { protect, retainOnDelete, ignoreChanges = [], replaceOnChanges = [], deleteBeforeReplace } = options
  return {
    protect: protect === true,
    retainOnDelete: retainOnDelete === true,
    ignoreChanges,
    replaceOnChanges,
    deleteBeforeReplace: deleteBeforeReplace === true,
  }
}

/** What a provider adds to what it was given. */
function answered(type: string, name: string): Record<string, unknown> {
  const arn = { arn: `arn:mock:${name}` }
  if (type === 'aws:ec2/eip:Eip') return { publicDns: 'ec2-192-0-2-1.compute.example.com', publicIp: '192.0.2.1' }
  if (type === 'aws:s3/bucket:Bucket') return { ...arn, bucketRegionalDomainName: `${name}.s3.example.com` }
  if (type === 'aws:cloudfront/distribution:Distribution')
    return { ...arn, domainName: 'd111111abcdef8.cloudfront.net', hostedZoneId: 'Z2FDTNDATAQYW2' }
  if (type === 'aws:acm/certificate:Certificate')
    return {
      ...arn,
      domainValidationOptions: [
        { resourceRecordName: '_proof.example.com', resourceRecordType: 'CNAME', resourceRecordValue: '_proof.aws' },
      ],
    }
  if (type === 'aws:route53/record:Record') return { fqdn: `${name}.example.com` }
  if (type === 'aws:ssm/parameter:Parameter') return { ...arn, version: 1 }
  if (type === 'aws:ssm/document:Document') return { ...arn, latestVersion: '1' }
  if (type === 'random:index/randomPassword:RandomPassword') return { result: madePassword }
  return arn
}

function called(token: string, inputs: Record<string, unknown>): Record<string, unknown> {
  const answers: Record<string, Record<string, unknown>> = {
    'aws:index/getCallerIdentity:getCallerIdentity': { accountId: '123456789012' },
    'aws:index/getRegion:getRegion': { region: 'eu-central-1' },
    'aws:index/getAvailabilityZones:getAvailabilityZones': { names: ['eu-central-1a', 'eu-central-1b'] },
    // The first zone lacks the type.
    'aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings': { locations: ['eu-central-1c', 'eu-central-1b'] },
    'aws:ec2/getManagedPrefixList:getManagedPrefixList': { id: 'pl-cloudfront' },
    'aws:ssm/getParameter:getParameter': { insecureValue: `image of ${String(inputs.name)}` },
  }
  const answer = answers[token]
  if (!answer) throw new Error(`The stack asks AWS for ${token}, which infra/mocks.ts does not know.`)
  return { ...inputs, ...answer }
}

/** Secrets as { secret }, files as { file }. */
function readable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readable)
  if (typeof value !== 'object' || value === null) return value
  const marked = value as { value?: unknown; path?: unknown; [SIGNATURE]?: unknown }
  if (SIGNATURE in marked && 'value' in marked) return { secret: readable(marked.value) }
  if ('__pulumiAsset' in value) return { file: 'file' }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, readable(inner)]))
}
