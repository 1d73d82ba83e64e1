/** The value of generated passwords in mocks. */
export const madePassword = 'made-by-random-made-by-random-made'

/** A resource as requested by the program. */
export interface Recorded {
  type: string
  name: string
  /** Inputs as passed to the provider; secret values are { secret: value }. */
  inputs: Record<string, unknown>
  protect: boolean
  retainOnDelete: boolean
  ignoreChanges: string[]
  /** Properties whose change replaces the resource; * for all. */
  replaceOnChanges: string[]
  deleteBeforeReplace: boolean
}

type Pulumi = typeof import('@pulumi/pulumi')

/** The property by which Pulumi marks secret values for a provider. */
const SIGNATURE = '4dabf18193072939515e22adb298388d'

/**
 * Runs a Pulumi program without AWS and resolves to the requested resources, sorted by type and name. `pulumi` must be
 * the instance that the program imports. Rejects with the program's error.
 */
export async function record(pulumi: Pulumi, stage: string, program: () => unknown): Promise<Recorded[]> {
  const recorded = new Map<string, Recorded>()
  const options = new Map<string, ResourceOptions>()
  const failures: unknown[] = []
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, custom }) => {
        // Only SST's own components have custom === false; their inputs do not matter.
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
      // Keep the object itself, since SST's transformations change it afterwards.
      options.set(`${type} ${name}`, opts)
      return undefined
    })
    try {
      return (await program()) as Record<string, unknown>
    } catch (error) {
      // Rethrown at the end: here Pulumi would cause an unhandled rejection.
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

/** Output properties that the mock provider adds to the inputs. */
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
    // The first zone of the region does not have the instance type.
    'aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings': { locations: ['eu-central-1c', 'eu-central-1b'] },
    'aws:ec2/getManagedPrefixList:getManagedPrefixList': { id: 'pl-cloudfront' },
    'aws:ssm/getParameter:getParameter': { insecureValue: `image of ${String(inputs.name)}` },
  }
  const answer = answers[token]
  if (!answer) throw new Error(`The stack asks AWS for ${token}, which infra/mocks.ts does not know.`)
  return { ...inputs, ...answer }
}

/** Replaces secrets by { secret } and files by { file }. */
function readable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readable)
  if (typeof value !== 'object' || value === null) return value
  const marked = value as { value?: unknown; path?: unknown; [SIGNATURE]?: unknown }
  if (SIGNATURE in marked && 'value' in marked) return { secret: readable(marked.value) }
  if ('__pulumiAsset' in value) return { file: 'file' }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, readable(inner)]))
}
