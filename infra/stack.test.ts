import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { managed } from './cdn.ts'
import type { Recorded } from './mocks.ts'
import type { Statement } from './policy.ts'
import { type RecordedStack, recordStack } from './recorded-stack.ts'
import { type Scenario, scenarios } from './scenarios.ts'
import { wildcards } from './wildcards.ts'

const secretsOf = ({ environment }: Scenario) =>
  Object.entries(environment).flatMap(([name, value]) => (name.startsWith('SST_SECRET_') && value ? [value] : []))

/** The value with the marks of secrets removed. */
function open(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(open)
  if (typeof value !== 'object' || value === null) return value
  if ('secret' in value) return open(value.secret)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, open(inner)]))
}
const input = <T>(resource: Recorded, name: string) => open(resource.inputs[name]) as T

/** The value as visible to anybody who can read the state: without what is marked secret. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  if ('secret' in value) return '(secret)'
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

describe.each(scenarios)('the stack $stage', (scenario) => {
  let stack: RecordedStack
  beforeAll(async () => {
    stack = await recordStack(scenario)
  })
  const isProduction = scenario.stage === 'production'

  const port = isProduction ? 443 : 80

  it('lets nobody in but CloudFront, on one port alone', () => {
    const rules = stack.of('ec2/securityGroupRule:SecurityGroupRule')
    const inward = rules.filter((rule) => rule.inputs.type === 'ingress')
    expect(inward).toHaveLength(1)
    expect(inward[0]!.inputs).toMatchObject({
      fromPort: port,
      toPort: port,
      protocol: 'tcp',
      prefixListIds: ['pl-cloudfront'],
    })
    expect(JSON.stringify(inward)).not.toMatch(/0\.0\.0\.0\/0|::\/0/)
    for (const group of stack.of('ec2/securityGroup:SecurityGroup')) expect(group.inputs.ingress ?? []).toEqual([])
    expect(stack.named('DefaultSecurityGroup').inputs).toMatchObject({ ingress: [], egress: [] })
    for (const rule of rules) expect(rule.inputs.fromPort).not.toBe(22)
  })

  it('lets the server out to HTTPS and its database alone', () => {
    const outward = stack
      .of('ec2/securityGroupRule:SecurityGroupRule')
      .filter((rule) => rule.inputs.type === 'egress')
      .map(({ inputs }) => [inputs.protocol, inputs.fromPort, inputs.toPort])
    expect(outward).toEqual([['tcp', 443, 443], ...(isProduction ? [['tcp', 27_015, 27_017]] : [])])
  })

  it('asks for session tokens of the metadata service, which containers cannot reach', () => {
    for (const instance of stack.of('ec2/instance:Instance'))
      expect(instance.inputs.metadataOptions).toEqual({
        httpEndpoint: 'enabled',
        httpTokens: 'required',
        httpPutResponseHopLimit: 1,
      })
    expect(stack.of('ec2/instance:Instance')).toHaveLength(1)
  })

  it('allows on "*" only what AWS knows no resource for', () => {
    const policies = [...stack.of('iam/rolePolicy:RolePolicy'), ...stack.of('iam/policy:Policy')]
    expect(policies.length).toBeGreaterThanOrEqual(2)
    // AWS's managed policies would bring wildcards of their own.
    expect(stack.of('iam/rolePolicyAttachment:RolePolicyAttachment')).toEqual([])
    for (const { name, inputs } of policies) {
      const { Statement: statements } = JSON.parse(open(inputs.policy) as string) as { Statement: Statement[] }
      for (const { Sid, Effect, Action, Resource } of statements) {
        expect(Effect, `${name} ${Sid}`).toBe('Allow')
        expect(Action, `${name} ${Sid}`).not.toContain('*')
        for (const action of Action) expect(action, `${name} ${Sid}`).not.toMatch(/:\*$/)
        if (!Resource || Resource.includes('*'))
          for (const action of Action) expect(Object.keys(wildcards), `${name} ${Sid}`).toContain(action)
      }
      expect((open(inputs.policy) as string).length).toBeLessThan(10_240)
    }
  })

  it('cannot take the backups away for good', () => {
    const policy = input<string>(stack.named('ServerPolicy'), 'policy')
    expect(policy).toContain('s3:PutObject')
    expect(policy).not.toMatch(/s3:(DeleteObjectVersion|Put(Lifecycle|Bucket)|\*)/)
    const { inputs } = stack.named('DataVersioning')
    expect(inputs).toMatchObject({ bucket: 'DataBucket-id', versioningConfiguration: { status: 'Enabled' } })
    expect(JSON.stringify(stack.named('DataLifecycle').inputs.rules)).toContain('"noncurrentDays":7')
  })

  it('sends metrics to its own namespace alone', () => {
    const policy = input<string>(stack.named('ServerPolicy'), 'policy')
    const { Statement: statements } = JSON.parse(policy) as { Statement: Statement[] }
    const metrics = statements.find(({ Action }) => Action.includes('cloudwatch:PutMetricData'))
    expect(metrics?.Condition).toEqual({ StringEquals: { 'cloudwatch:namespace': `Veritas/${scenario.stage}` } })
  })

  it('lets the server look for what broken uploads left, which AWS cannot hold to a prefix', () => {
    const policy = input<string>(stack.named('ServerPolicy'), 'policy')
    const { Statement: statements } = JSON.parse(policy) as { Statement: Statement[] }
    const allowing = (action: string) => statements.filter(({ Action }) => Action.includes(action))
    const bucket = { Resource: ['arn:mock:DataBucket'] }
    expect(allowing('s3:ListBucketMultipartUploads')).toEqual([expect.objectContaining(bucket)])
    expect(allowing('s3:ListBucketMultipartUploads')[0]).not.toHaveProperty('Condition')
    expect(allowing('s3:ListBucket')[0]?.Condition).toEqual({ StringLike: { 's3:prefix': ['backups/*', 'exports/*'] } })
  })

  it('encrypts every volume, bucket, object and secret', () => {
    for (const volume of stack.of('ebs/volume:Volume')) expect(volume.inputs.encrypted).toBe(true)
    for (const instance of stack.of('ec2/instance:Instance'))
      expect(instance.inputs.rootBlockDevice).toMatchObject({ encrypted: true, volumeType: 'gp3' })
    const buckets = stack.of('s3/bucket:Bucket').map(({ name }) => `${name}-id`)
    expect(buckets).toHaveLength(3)
    const covered = (type: string) => stack.of(type).map(({ inputs }) => inputs.bucket)
    for (const type of [
      's3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration',
      's3/bucketPublicAccessBlock:BucketPublicAccessBlock',
      's3/bucketOwnershipControls:BucketOwnershipControls',
      's3/bucketPolicy:BucketPolicy',
    ])
      expect(covered(type).sort(), type).toEqual(buckets.sort())
    for (const { inputs } of stack.of('s3/bucketPublicAccessBlock:BucketPublicAccessBlock'))
      expect(Object.values(inputs).filter((value) => typeof value === 'boolean')).toEqual([true, true, true, true])
    for (const { name, inputs } of stack.of('s3/bucketPolicy:BucketPolicy'))
      expect(open(inputs.policy), name).toContain('"aws:SecureTransport":"false"')
    for (const object of stack.of('s3/bucketObjectv2:BucketObjectv2'))
      expect(object.inputs.serverSideEncryption, object.name).toBe('AES256')
    const secret = stack.of('ssm/parameter:Parameter').filter(({ name }) => /SECRET|STORE_URL/.test(name))
    expect(secret.length).toBe(isProduction ? 4 : 1)
    for (const { name, inputs } of secret) {
      expect(inputs.type, name).toBe('SecureString')
      expect(inputs.value, name).toHaveProperty('secret')
    }
  })

  it('shows no secret anywhere', () => {
    const shown = JSON.stringify(stack.all.map(({ inputs }) => plain(inputs)))
    for (const secret of [...secretsOf(scenario), 'made-by-random']) expect(shown).not.toContain(secret)
  })

  it('has nothing secret in user data, which fetches the bundle, proves it and installs it', () => {
    const userData = stack.named('Server').inputs.userData as string
    expect(userData).toEqual(expect.any(String))
    for (const secret of [...secretsOf(scenario), 'made-by-random']) expect(userData).not.toContain(secret)
    expect(userData).not.toMatch(/@[A-Z]+@/)
    const bundle = stack.named('BoxBundle').inputs.key as string
    expect(userData).toContain(`s3://ReleasesBucket-id/${bundle}`)
    const digest = /box\/([0-9a-f]{64})\.tar\.gz/.exec(bundle)![1]!
    expect(userData).toContain(`echo '${digest}  '`)
    expect(userData).toContain('install.sh')
    for (const line of [`STAGE=${scenario.stage}`, 'REGION=eu-central-1', 'DATA_VOLUME_ID=DataVolume-id'])
      expect(userData.split('\n')).toContain(line)
    // The size must be part of the setup, which otherwise would not run again to grow the file system.
    const gib = stack.named('DataVolume').inputs.size
    expect(stack.named('SetupDocument').inputs.content).toContain(`DATA_VOLUME_GIB=${gib}\\n`)
    // AWS limits user data to 16 KB.
    expect(Buffer.byteLength(userData)).toBeLessThan(16_384)
  })

  it('keeps no log for ever', () => {
    const groups = stack.of('cloudwatch/logGroup:LogGroup')
    expect(groups.map(({ inputs }) => inputs.name).sort()).toEqual(
      ['nginx', 'releases', 'server'].map((noun) => `/veritas/${scenario.stage}/${noun}`),
    )
    for (const { inputs } of groups) expect(inputs.retentionInDays).toBe(30)
  })

  it('keeps the instance when Amazon has a newer image', () => {
    expect(stack.named('Server').ignoreChanges).toEqual(expect.arrayContaining(['ami', 'userData']))
    const architecture = scenario.environment.VERITAS_INSTANCE_TYPE ? 'arm64' : 'x86_64'
    expect(stack.named('Server').inputs.ami).toContain(`al2023-ami-kernel-default-${architecture}`)
  })

  it('keeps what production must not lose, and lets other stages go', () => {
    const kept = ({ protect, retainOnDelete }: Recorded) => ({ protect, retainOnDelete })
    const both = { protect: isProduction, retainOnDelete: isProduction }
    expect(kept(stack.named('DataVolume'))).toEqual(both)
    expect(kept(stack.named('DataBucket'))).toEqual(both)
    expect(stack.named('Server').inputs.disableApiTermination).toBe(isProduction)
    expect(stack.named('DataBucket').inputs.forceDestroy).toBe(!isProduction)
  })

  it('takes daily snapshots of the data volume by its own tags', () => {
    const details = input<{ targetTags: object; schedules: object[] }>(stack.named('Snapshots'), 'policyDetails')
    const tags = stack.named('DataVolume').inputs.tags as object
    // Several tags would be alternatives. No other volume may have this tag: neither the system's nor another stage's.
    expect(details.targetTags).toEqual({ 'veritas:snapshots': `${scenario.stage}-data` })
    expect(tags).toMatchObject(details.targetTags)
    expect(JSON.stringify(stack.named('Server').inputs)).not.toContain('veritas:snapshots')
    // volumeTags of the instance would replace these.
    expect(stack.named('Server').inputs).not.toHaveProperty('volumeTags')
    expect(details.schedules).toMatchObject([
      { createRule: { interval: 24, intervalUnit: 'HOURS' }, retainRule: { count: 7 } },
    ])
  })

  it('reaches the server with TLS where a name can be proved for it', () => {
    const origins = input<{ originId: string; domainName: string; customOriginConfig?: object }[]>(
      stack.named('Distribution'),
      'origins',
    )
    const server = origins.find(({ originId }) => originId === 'server')
    if (!isProduction) {
      expect(server?.customOriginConfig).toMatchObject({ originProtocolPolicy: 'http-only' })
      return
    }
    expect(server).toMatchObject({
      domainName: 'origin.events.example.com',
      customOriginConfig: { originProtocolPolicy: 'https-only', originSslProtocols: ['TLSv1.2'] },
    })
    expect(stack.named('OriginRecord').inputs).toMatchObject({
      name: 'origin.events.example.com',
      records: ['192.0.2.1'],
    })
    const statements = JSON.parse(input<string>(stack.named('ServerPolicy'), 'policy')).Statement as Statement[]
    expect(statements.find(({ Sid }) => Sid === 'ProveTheOrigin')).toMatchObject({
      Resource: ['arn:aws:route53:::hostedzone/Z0123456789ABC'],
      Condition: {
        'ForAllValues:StringEquals': {
          'route53:ChangeResourceRecordSetsNormalizedRecordNames': ['_acme-challenge.origin.events.example.com'],
        },
      },
    })
  })

  it('tells that a file of pages is missing, not that it is forbidden', () => {
    const statements = JSON.parse(input<string>(stack.named('AssetsPolicy'), 'policy')).Statement as Statement[]
    const bucket = statements.find(({ Action }) => Action?.includes('s3:ListBucket'))
    expect(bucket).toMatchObject({
      Principal: { Service: 'cloudfront.amazonaws.com' },
      Condition: { StringEquals: { 'AWS:SourceArn': 'arn:mock:Distribution' } },
    })
  })

  it('stands in a zone that has the type of the instance', () => {
    expect(stack.named('Subnet').inputs.availabilityZone).toBe('eu-central-1b')
  })

  it('sends pages and events their ways through CloudFront', () => {
    const { inputs } = stack.named('Distribution')
    const toServer = {
      targetOriginId: 'server',
      cachePolicyId: managed.cachingDisabled,
      originRequestPolicyId: managed.allViewerExceptHostHeader,
      allowedMethods: expect.arrayContaining(['POST', 'OPTIONS', 'DELETE']),
    }
    expect(inputs.defaultCacheBehavior).toMatchObject({ ...toServer, viewerProtocolPolicy: 'redirect-to-https' })
    const behaviors = inputs.orderedCacheBehaviors as { pathPattern: string }[]
    expect(behaviors.map(({ pathPattern }) => pathPattern)).toEqual([
      '/assets/*',
      '/events',
      '/events/*',
      '/v1/*',
      '/trpc/*',
    ])
    const [assets, ...others] = behaviors
    expect(assets).toMatchObject({
      targetOriginId: 'assets',
      cachePolicyId: managed.cachingOptimized,
      allowedMethods: ['GET', 'HEAD'],
      viewerProtocolPolicy: 'redirect-to-https',
    })
    expect(assets).not.toHaveProperty('originRequestPolicyId')
    // A redirect would lose the body of a POST.
    for (const behavior of others) expect(behavior).toMatchObject({ ...toServer, viewerProtocolPolicy: 'https-only' })
  })

  it('keeps no answer that tells of a failure', () => {
    const kept = stack.named('Distribution').inputs.customErrorResponses as object[]
    expect(kept).toEqual(
      [400, 403, 404, 405, 414, 500, 501, 502, 503, 504].map((errorCode) => ({ errorCode, errorCachingMinTtl: 0 })),
    )
  })

  it('lets only its own distribution read the bucket of files', () => {
    const origins = input<{ originId: string; originAccessControlId?: string; customHeaders?: object[] }[]>(
      stack.named('Distribution'),
      'origins',
    )
    expect(origins.find(({ originId }) => originId === 'assets')?.originAccessControlId).toBe('AssetsAccess-id')
    const policy = JSON.parse(input<string>(stack.named('AssetsPolicy'), 'policy')) as { Statement: Statement[] }
    const allowed = policy.Statement.filter(({ Effect }) => Effect === 'Allow')
    expect(allowed.map(({ Action }) => Action)).toEqual([['s3:GetObject'], ['s3:ListBucket']])
    expect(allowed[0]).toMatchObject({
      Principal: { Service: 'cloudfront.amazonaws.com' },
      Action: ['s3:GetObject'],
      Condition: { StringEquals: { 'AWS:SourceArn': 'arn:mock:Distribution' } },
    })
  })

  it('tells nginx that it is CloudFront, by the secret that the instance reads', () => {
    const origins = input<{ originId: string; customHeaders?: { name: string; value: string }[] }[]>(
      stack.named('Distribution'),
      'origins',
    )
    const header = origins.find(({ originId }) => originId === 'server')!.customHeaders![0]!
    expect(header.name).toBe('X-Veritas-Origin')
    expect(header.value).toBe(input<string>(stack.named('Parameter_ORIGIN_SECRET'), 'value'))
  })

  it('leaves old files of pages where open tabs find them', () => {
    const files = stack.of('s3/bucketObjectv2:BucketObjectv2').filter(({ name }) => name.startsWith('Asset_'))
    // Source maps are not uploaded.
    expect(files.map(({ inputs }) => inputs.key)).toEqual([
      'assets/entry-4f2a.js',
      'assets/letters-07be.woff2',
      'assets/root-91cc.css',
    ])
    for (const { name, inputs, retainOnDelete } of files) {
      expect(retainOnDelete, name).toBe(true)
      expect(inputs.cacheControl).toBe('public, max-age=31536000, immutable')
      expect(inputs.contentType).toMatch(/^(text|font)\//)
    }
    const lifecycle = JSON.stringify(stack.named('AssetsLifecycle').inputs.rules)
    expect(lifecycle).not.toContain('"expiration"')
  })

  it('runs a release as soon as one of its parameters is another, and waits for it', () => {
    const { inputs } = stack.named('ReleaseAssociation')
    const digest = /^releases\/([0-9a-f]{64})\.tar\.gz$/.exec(stack.named('Release').inputs.key as string)![1]
    // The version of each parameter is included, so that a changed parameter triggers a new release.
    const settings = stack.of('ssm/parameter:Parameter').map(() => '1')
    expect(inputs.parameters).toMatchObject({
      sha256: digest,
      version: '1.2.3+0123456789ab',
      settings: settings.join('.'),
    })
    expect(inputs.waitForSuccessTimeoutSeconds).toBe(900)
    expect(inputs.targets).toEqual([{ key: 'InstanceIds', values: ['Server-id'] }])
    expect(stack.named('SetupAssociation').inputs.waitForSuccessTimeoutSeconds).toBe(1500)
    // The provider only waits when it creates an association, not when it changes one.
    for (const association of stack.of('ssm/association:Association'))
      expect(association, association.name).toMatchObject({ replaceOnChanges: ['*'], deleteBeforeReplace: true })
    expect(stack.of('ssm/association:Association')).toHaveLength(2)
  })

  it('takes the data volume from one instance before another gets it', () => {
    expect(stack.named('DataAttachment').deleteBeforeReplace).toBe(true)
  })

  it('lets a release wait for the setup of the first boot', async () => {
    const document = JSON.parse(stack.named('ReleaseDocument').inputs.content as string) as {
      mainSteps: { inputs: { runCommand: string[] } }[]
    }
    const folder = mkdtempSync(join(tmpdir(), 'veritas-first-'))
    try {
      const [bin, lock] = [join(folder, 'deploy.sh'), join(folder, 'lock')]
      const command = document.mainSteps[0]!.inputs.runCommand.join('\n')
        .replaceAll('/opt/veritas/bin/deploy.sh', bin)
        .replaceAll('/run/veritas-box.lock', lock)
      const setup = `exec 9>lock && flock 9 && sleep 0.5 && printf '#!/bin/sh\necho "$ready"' >deploy.sh
        chmod 755 deploy.sh && sleep 1 && sed -i 's/"$ready"/ready/' deploy.sh`
      const booting = promisify(execFile)('bash', ['-c', setup], { cwd: folder })
      const { stdout } = await promisify(execFile)('bash', ['-c', command], { cwd: folder })
      await booting
      expect(stdout).toBe('ready\n')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('hands deploy.sh only what cannot mean anything to a shell', () => {
    const document = JSON.parse(stack.named('ReleaseDocument').inputs.content as string) as {
      parameters: Record<string, { allowedPattern: string }>
      mainSteps: { inputs: { runCommand: string[] } }[]
    }
    const command = document.mainSteps[0]!.inputs.runCommand.join('\n')
    expect(command).toContain('/opt/veritas/bin/deploy.sh {{ bucket }} {{ key }} {{ sha256 }} {{ version }}')
    const given = stack.named('ReleaseAssociation').inputs.parameters as Record<string, string>
    expect(Object.keys(document.parameters).sort()).toEqual(Object.keys(given).sort())
    for (const [name, { allowedPattern }] of Object.entries(document.parameters)) {
      expect(allowedPattern, name).toMatch(/^\^.*\$$/)
      for (const evil of ['a b', 'a;b', '$(b)', '`b`', "a'b", 'a\nb'])
        expect(evil, name).not.toMatch(new RegExp(allowedPattern))
      // The mock's bucket name has capital letters, so check the real one here.
      const value = name === 'bucket' ? `veritas-${scenario.stage}-releases-123456789012` : given[name]!
      expect(value, name).toMatch(new RegExp(allowedPattern))
    }
  })
})

describe('the stack production', () => {
  it('deploys from one environment of one repository, and cannot change roles', async () => {
    const stack = await recordStack(scenarios.find(({ stage }) => stage === 'production')!)
    const trust = JSON.parse(input<string>(stack.named('DeployRole'), 'assumeRolePolicy')) as { Statement: Statement[] }
    expect(trust.Statement[0]!.Condition).toEqual({
      StringEquals: {
        'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
        'token.actions.githubusercontent.com:sub': 'repo:example/veritas:environment:production',
      },
    })
    const policy = JSON.parse(input<string>(stack.named('DeployPolicy'), 'policy')) as { Statement: Statement[] }
    const actions = policy.Statement.flatMap(({ Action }) => Action)
    const ofIam = actions.filter((action) => action.startsWith('iam:'))
    expect(ofIam.filter((action) => !/^iam:(Get|List)/.test(action))).toEqual([])
    // Every deployment reads CloudFront's prefix list with its entries, and recreates its associations.
    expect(actions).toEqual(
      expect.arrayContaining(['ec2:GetManagedPrefixListEntries', 'ssm:CreateAssociation', 'ssm:DeleteAssociation']),
    )
  })

  it('has its certificate proved in us-east-1 and its name in the zone', async () => {
    const stack = await recordStack(scenarios.find(({ stage }) => stage === 'production')!)
    expect(stack.named('Certificate').inputs).toMatchObject({ domainName: 'events.example.com', region: 'us-east-1' })
    const { inputs } = stack.named('Distribution')
    expect(inputs.aliases).toEqual(['events.example.com'])
    expect(inputs.viewerCertificate).toMatchObject({
      minimumProtocolVersion: 'TLSv1.2_2021',
      sslSupportMethod: 'sni-only',
    })
    const records = stack.of('route53/record:Record').map(({ inputs }) => `${inputs.type} ${inputs.name}`)
    expect(records).toEqual(expect.arrayContaining(['A events.example.com', 'AAAA events.example.com']))
    expect(input<string>(stack.named('Parameter_PUBLIC_URL'), 'insecureValue')).toBe('https://events.example.com')
  })
})

describe('a host name whose zone is elsewhere', () => {
  it('is told which record it needs there', async () => {
    const environment = {
      VERITAS_DOMAIN: 'events.example.com',
      VERITAS_CERTIFICATE_ARN: 'arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef',
    }
    const { outputs, named, of } = await recordStack({ stage: 'smallest', environment })
    expect(outputs.cname).toMatch(/^events\.example\.com -> \S+\.cloudfront\.net$/)
    expect(outputs.url).toBe('https://events.example.com')
    expect(named('Distribution').inputs).toMatchObject({
      aliases: ['events.example.com'],
      viewerCertificate: { acmCertificateArn: environment.VERITAS_CERTIFICATE_ARN },
    })
    expect(of('route53/record:Record')).toEqual([])
    // If the zone is managed here, the record is created and there is nothing to report.
    const [, production] = scenarios
    expect((await recordStack(production!)).outputs).not.toHaveProperty('cname')
  })
})

describe('another instance', () => {
  const [, production] = scenarios
  const record = (environment: Scenario['environment']) =>
    recordStack({ ...production!, environment: { ...production!.environment, ...environment } })

  it('takes the place of the one before by another number, though that is protected', async () => {
    const before = await record({})
    expect(before.named('Server').inputs).toMatchObject({ disableApiTermination: true, forceDestroy: true })
    const stack = await record({ VERITAS_INSTANCE_NUMBER: '2' })
    expect(stack.of('ec2/instance:Instance').map(({ name }) => name)).toEqual(['Server2'])
    expect(stack.named('DataAttachment')).toMatchObject({
      inputs: { instanceId: 'Server2-id', volumeId: 'DataVolume-id', stopInstanceBeforeDetaching: true },
      deleteBeforeReplace: true,
    })
    expect(stack.named('AddressAssociation').inputs.instanceId).toBe('Server2-id')
  })

  it('stands in another zone with a volume of a snapshot', async () => {
    const stack = await record({ VERITAS_ZONE: 'eu-central-1c', VERITAS_DATA_SNAPSHOT: 'snap-0123456789abcdef0' })
    expect(stack.named('Subnet_eu-central-1c').inputs).toMatchObject({
      availabilityZone: 'eu-central-1c',
      cidrBlock: '10.20.3.0/24',
    })
    expect(stack.named('DataVolume_eu-central-1c').inputs).toMatchObject({ snapshotId: 'snap-0123456789abcdef0' })
    expect(stack.named('DataAttachment').inputs.volumeId).toBe('DataVolume_eu-central-1c-id')
  })
})
