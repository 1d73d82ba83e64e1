import { s3 } from '@pulumi/aws'
import { interpolate, type Output } from '@pulumi/pulumi'
import { policy, type Statement } from './policy.ts'
import type { Stack } from './stack.ts'

export interface Bucket {
  id: Output<string>
  arn: Output<string>
  regionalDomainName: Output<string>
  /** Sets the bucket's policy: these statements plus the rule that denies access without TLS. Call it once. */
  allow: (statements: Statement[]) => s3.BucketPolicy
}

export interface Storage {
  /** Client files, named by content hash. */
  assets: Bucket
  /** Release archives and the bundle for the instance. */
  releases: Bucket
  /** Nightly database copies and daily exports. */
  data: Bucket
  /** Server settings for the destinations of copies and exports. */
  urls: { EXPORT_URL: Output<string>; BACKUP_URL: Output<string>; S3_REGION: Output<string> }
}

export function createStorage(stack: Stack): Storage {
  const assets = createBucket(stack, 'assets', [])
  const releases = createBucket(stack, 'releases', [])
  const data = createBucket(stack, 'data', [
    {
      id: 'old-backups',
      status: 'Enabled',
      filter: { prefix: 'backups/' },
      expiration: { days: stack.settings.backupDays },
    },
  ])
  // Overwritten or deleted backups can be restored for a week.
  new s3.BucketVersioning('DataVersioning', { bucket: data.id, versioningConfiguration: { status: 'Enabled' } })
  releases.allow([])
  data.allow([])
  const urls = {
    EXPORT_URL: interpolate`s3://${data.id}/exports`,
    BACKUP_URL: interpolate`s3://${data.id}/backups`,
    S3_REGION: stack.region,
  }
  return { assets, releases, data, urls }
}

function createBucket(
  stack: Stack,
  noun: 'assets' | 'releases' | 'data',
  rules: Exclude<s3.BucketLifecycleConfigurationArgs['rules'], undefined | Promise<unknown> | Output<unknown>>,
): Bucket {
  const title = noun[0]!.toUpperCase() + noun.slice(1)
  const bucket = new s3.Bucket(
    `${title}Bucket`,
    {
      // Including the account number makes the name globally unique and known in advance.
      bucket: interpolate`${stack.prefix}-${noun}-${stack.accountId}`,
      forceDestroy: !stack.settings.isProtected,
    },
    { retainOnDelete: stack.settings.isProtected, protect: stack.settings.isProtected && noun === 'data' },
  )
  new s3.BucketPublicAccessBlock(`${title}Private`, {
    bucket: bucket.id,
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  })
  new s3.BucketOwnershipControls(`${title}Ownership`, {
    bucket: bucket.id,
    rule: { objectOwnership: 'BucketOwnerEnforced' },
  })
  new s3.BucketServerSideEncryptionConfiguration(`${title}Encryption`, {
    bucket: bucket.id,
    rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }],
  })
  new s3.BucketLifecycleConfiguration(`${title}Lifecycle`, {
    bucket: bucket.id,
    rules: [
      {
        id: 'broken-uploads',
        status: 'Enabled',
        filter: {},
        abortIncompleteMultipartUpload: { daysAfterInitiation: 2 },
      },
      { id: 'replaced', status: 'Enabled', filter: {}, noncurrentVersionExpiration: { noncurrentDays: 7 } },
      ...rules,
    ],
  })
  const allow = (statements: Statement[]) =>
    new s3.BucketPolicy(`${title}Policy`, {
      bucket: bucket.id,
      policy: policy([
        {
          Sid: 'OnlyWithTls',
          Effect: 'Deny',
          Principal: '*',
          Action: ['s3:*'],
          Resource: [bucket.arn, interpolate`${bucket.arn}/*`],
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
        ...statements,
      ]),
    })
  return { id: bucket.id, arn: bucket.arn, regionalDomainName: bucket.bucketRegionalDomainName, allow }
}
