import { iam } from '@pulumi/aws'
import { type Input, interpolate, type Output } from '@pulumi/pulumi'
import { policy, type Statement } from './policy.ts'
import type { Stack } from './stack.ts'
import type { Storage } from './storage.ts'

const issuer = 'token.actions.githubusercontent.com'

/**
 * The role with which GitHub Actions deploys the stage: without stored keys, and only from the stage's environment
 * in the given repository. It may release and change existing resources, but only read roles and
 * policies, so changes to those (and the first deployment) need an administrator. Undefined without a repository.
 */
export function createDeployRole(stack: Stack, storage: Storage, distributionId: Output<string>): iam.Role | undefined {
  const { githubRepository, githubProvider } = stack.settings
  if (!githubRepository) return undefined
  const providerArn =
    githubProvider === 'existing'
      ? interpolate`arn:aws:iam::${stack.accountId}:oidc-provider/${issuer}`
      : new iam.OpenIdConnectProvider('GitHub', { url: `https://${issuer}`, clientIdLists: ['sts.amazonaws.com'] }).arn
  const role = new iam.Role('DeployRole', {
    name: `${stack.prefix}-deploy`,
    description: `Veritas ${stack.stage}: deployment from GitHub Actions`,
    maxSessionDuration: 7200,
    assumeRolePolicy: policy([
      {
        Sid: 'GitHub',
        Effect: 'Allow',
        Principal: { Federated: providerArn },
        Action: ['sts:AssumeRoleWithWebIdentity'],
        Condition: {
          StringEquals: {
            [`${issuer}:aud`]: 'sts.amazonaws.com',
            [`${issuer}:sub`]: `repo:${githubRepository}:environment:${stack.stage}`,
          },
        },
      },
    ]),
  })
  const statements = [...ofState(stack), ...ofResources(stack, storage, distributionId), ...ofRoles(stack)]
  // Inline, since an inline policy may have 10,240 characters; a managed policy could not hold all of this.
  new iam.RolePolicy('DeployPolicy', { role: role.id, name: 'deploy', policy: policy(statements) })
  return role
}

/** Access to SST's state and secrets in SSM parameters and buckets (https://sst.dev/docs/iam-credentials). */
function ofState(stack: Stack): Statement[] {
  const ours = (path: Input<string>) => interpolate`arn:aws:ssm:${stack.region}:${stack.accountId}:parameter${path}`
  return [
    {
      Sid: 'State',
      Effect: 'Allow',
      Action: ['s3:ListBucket', 's3:GetObject', 's3:PutObject', 's3:DeleteObject'],
      Resource: ['arn:aws:s3:::sst-state-*', 'arn:aws:s3:::sst-asset-*'],
    },
    { Sid: 'Bootstrap', Effect: 'Allow', Action: ['ssm:GetParameter'], Resource: [ours('/sst/bootstrap')] },
    {
      Sid: 'Passphrase',
      Effect: 'Allow',
      Action: ['ssm:GetParameter'],
      Resource: [ours(`/sst/passphrase/veritas/${stack.stage}`)],
    },
  ]
}

function ofResources(stack: Stack, { assets, releases, data }: Storage, distributionId: Output<string>): Statement[] {
  const at = (service: string, path: Input<string>) =>
    interpolate`arn:aws:${service}:${stack.region}:${stack.accountId}:${path}`
  const inEveryRegion = (service: string, path: Input<string>) =>
    interpolate`arn:aws:${service}:*:${stack.accountId}:${path}`
  return [
    {
      Sid: 'Look',
      Effect: 'Allow',
      Action: [
        'ec2:Describe*',
        // Looking up CloudFront's prefix list also reads its entries.
        'ec2:GetManagedPrefixListEntries',
        'ssm:DescribeParameters',
        'ssm:ListAssociations',
        'ssm:DescribeAssociation',
        'ssm:DescribeInstanceInformation',
        'logs:DescribeLogGroups',
        'cloudwatch:DescribeAlarms',
        'cloudfront:List*',
        'route53:ListHostedZones',
      ],
      Resource: ['*'],
    },
    {
      Sid: 'Image',
      Effect: 'Allow',
      Action: ['ssm:GetParameter'],
      Resource: [interpolate`arn:aws:ssm:${stack.region}::parameter/aws/service/ami-amazon-linux-latest/*`],
    },
    {
      Sid: 'Files',
      Effect: 'Allow',
      Action: ['s3:ListBucket', 's3:GetObject*', 's3:PutObject', 's3:PutObjectTagging', 's3:DeleteObject'],
      Resource: [assets, releases].flatMap(({ arn }) => [arn, interpolate`${arn}/*`]),
    },
    {
      Sid: 'Buckets',
      Effect: 'Allow',
      Action: [
        's3:GetBucket*',
        's3:GetLifecycleConfiguration',
        's3:GetEncryptionConfiguration',
        's3:GetAccelerateConfiguration',
        's3:GetReplicationConfiguration',
        's3:PutLifecycleConfiguration',
        's3:PutBucketTagging',
      ],
      Resource: [assets.arn, releases.arn, data.arn],
    },
    {
      Sid: 'Parameters',
      Effect: 'Allow',
      Action: [
        'ssm:GetParameter',
        'ssm:GetParameters',
        'ssm:PutParameter',
        'ssm:ListTagsForResource',
        'ssm:AddTagsToResource',
      ],
      Resource: [at('ssm', `parameter/veritas/${stack.stage}/*`)],
    },
    {
      Sid: 'Releases',
      Effect: 'Allow',
      Action: [
        'ssm:CreateDocument',
        'ssm:UpdateDocument',
        'ssm:UpdateDocumentDefaultVersion',
        'ssm:GetDocument',
        'ssm:DescribeDocument',
        'ssm:DescribeDocumentPermission',
        'ssm:CreateAssociation',
        'ssm:UpdateAssociation',
        'ssm:DeleteAssociation',
        'ssm:DescribeAssociationExecutions',
        'ssm:ListTagsForResource',
        'ssm:AddTagsToResource',
      ],
      Resource: [at('ssm', `document/${stack.prefix}-*`), at('ssm', 'association/*'), at('ec2', 'instance/*')],
    },
    {
      Sid: 'Instance',
      Effect: 'Allow',
      Action: [
        'ec2:ModifyInstanceAttribute',
        'ec2:StopInstances',
        'ec2:StartInstances',
        'ec2:ModifyVolume',
        'ec2:CreateTags',
      ],
      Resource: [at('ec2', '*')],
      Condition: { StringEquals: { 'aws:ResourceTag/veritas:stage': stack.stage } },
    },
    {
      Sid: 'Delivery',
      Effect: 'Allow',
      Action: [
        'cloudfront:Get*',
        'cloudfront:UpdateDistribution',
        'cloudfront:UpdateResponseHeadersPolicy',
        'cloudfront:TagResource',
      ],
      Resource: [
        interpolate`arn:aws:cloudfront::${stack.accountId}:distribution/${distributionId}`,
        interpolate`arn:aws:cloudfront::${stack.accountId}:origin-access-control/*`,
        interpolate`arn:aws:cloudfront::${stack.accountId}:response-headers-policy/*`,
      ],
    },
    {
      Sid: 'Watching',
      Effect: 'Allow',
      Action: [
        'cloudwatch:PutMetricAlarm',
        'cloudwatch:DeleteAlarms',
        'cloudwatch:ListTagsForResource',
        'cloudwatch:TagResource',
      ],
      Resource: [inEveryRegion('cloudwatch', `alarm:${stack.prefix}-*`)],
    },
    {
      Sid: 'Dashboard',
      Effect: 'Allow',
      Action: ['cloudwatch:GetDashboard', 'cloudwatch:PutDashboard'],
      Resource: [interpolate`arn:aws:cloudwatch::${stack.accountId}:dashboard/${stack.prefix}`],
    },
    {
      Sid: 'Logs',
      Effect: 'Allow',
      Action: ['logs:ListTagsForResource', 'logs:PutRetentionPolicy', 'logs:TagResource'],
      Resource: [at('logs', `log-group:/veritas/${stack.stage}/*`)],
    },
    {
      Sid: 'Mail',
      Effect: 'Allow',
      Action: ['sns:GetTopicAttributes', 'sns:GetSubscriptionAttributes', 'sns:ListTagsForResource'],
      Resource: [inEveryRegion('sns', `${stack.prefix}-alarms`), inEveryRegion('sns', `${stack.prefix}-alarms:*`)],
    },
    {
      Sid: 'Snapshots',
      Effect: 'Allow',
      Action: ['dlm:GetLifecyclePolicy', 'dlm:UpdateLifecyclePolicy', 'dlm:ListTagsForResource'],
      Resource: [at('dlm', 'policy/*')],
    },
    {
      Sid: 'SnapshotEvents',
      Effect: 'Allow',
      Action: ['events:DescribeRule', 'events:ListTargetsByRule', 'events:ListTagsForResource'],
      Resource: [at('events', `rule/${stack.prefix}-*`)],
    },
  ]
}

function ofRoles(stack: Stack): Statement[] {
  const named = (kind: string) => interpolate`arn:aws:iam::${stack.accountId}:${kind}/${stack.prefix}-*`
  return [
    {
      Sid: 'LookAtRoles',
      Effect: 'Allow',
      Action: [
        'iam:GetRole',
        'iam:GetRolePolicy',
        'iam:ListRolePolicies',
        'iam:ListAttachedRolePolicies',
        'iam:GetInstanceProfile',
      ],
      Resource: [named('role'), named('instance-profile')],
    },
    {
      Sid: 'LookAtGitHub',
      Effect: 'Allow',
      Action: ['iam:GetOpenIDConnectProvider'],
      Resource: [interpolate`arn:aws:iam::${stack.accountId}:oidc-provider/${issuer}`],
    },
  ]
}
