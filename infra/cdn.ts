import { cloudfront } from '@pulumi/aws'
import { interpolate, type Output } from '@pulumi/pulumi'
import { createCertificate, createRecords } from './certificate.ts'
import type { Stack } from './stack.ts'
import type { Bucket } from './storage.ts'

/** IDs of policies that AWS provides, the same in every account. */
export const managed = {
  cachingDisabled: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
  cachingOptimized: '658327ea-f89d-4fab-a63d-7e88639e58f6',
  allViewerExceptHostHeader: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
} as const

/**
 * CloudFront caches these errors for 10 s by default, by path only, mostly even with no-store: an error for one account
 * or query would be served to all others.
 */
const keptErrors = [400, 403, 404, 405, 414, 500, 501, 502, 503, 504]

/** The header by which nginx recognizes CloudFront (infra/box/nginx.conf). */
const originHeader = 'X-Veritas-Origin'

export interface Cdn {
  id: Output<string>
  /** https://… without a trailing slash. */
  url: Output<string>
  /** The domain name assigned by CloudFront, as the target of a CNAME. */
  target: Output<string>
}

type Behavior = cloudfront.DistributionArgs['defaultCacheBehavior']

/** The CloudFront distribution: client files come from their bucket, everything else uncached from the server. */
export function createCdn(stack: Stack, assets: Bucket, originHost: Output<string>, originSecret: Output<string>): Cdn {
  const { domain, originName, priceClass } = stack.settings
  const certificateArn = createCertificate(stack)
  const access = new cloudfront.OriginAccessControl('AssetsAccess', {
    name: `${stack.prefix}-assets`,
    description: `Veritas ${stack.stage}: files of pages`,
    originAccessControlOriginType: 's3',
    signingBehavior: 'always',
    signingProtocol: 'sigv4',
  })
  const strict = new cloudfront.ResponseHeadersPolicy('OnlyHttps', {
    name: `${stack.prefix}-only-https`,
    comment: 'Browsers come back with HTTPS alone',
    securityHeadersConfig: { strictTransportSecurity: { accessControlMaxAgeSec: 31_536_000, override: false } },
  })
  const distribution = new cloudfront.Distribution('Distribution', {
    enabled: true,
    comment: `Veritas ${stack.stage}`,
    httpVersion: 'http2and3',
    isIpv6Enabled: true,
    priceClass,
    aliases: domain ? [domain] : [],
    viewerCertificate: certificateArn
      ? { acmCertificateArn: certificateArn, sslSupportMethod: 'sni-only', minimumProtocolVersion: 'TLSv1.2_2021' }
      : { cloudfrontDefaultCertificate: true },
    restrictions: { geoRestriction: { restrictionType: 'none' } },
    origins: [
      { originId: 'assets', domainName: assets.regionalDomainName, originAccessControlId: access.id },
      {
        originId: 'server',
        domainName: originName ?? originHost,
        customHeaders: [{ name: originHeader, value: originSecret }],
        // Reusing a connection saves three round trips. nginx keeps idle connections longer (65 s).
        customOriginConfig: {
          httpPort: 80,
          httpsPort: 443,
          // Carries cookies, passwords and keys. Without a host name for the origin there is no certificate for TLS.
          originProtocolPolicy: originName ? 'https-only' : 'http-only',
          originSslProtocols: ['TLSv1.2'],
          originReadTimeout: 60,
          originKeepaliveTimeout: 60,
        },
      },
    ],
    defaultCacheBehavior: toServer('redirect-to-https', strict.id),
    orderedCacheBehaviors: [
      {
        pathPattern: '/assets/*',
        targetOriginId: 'assets',
        viewerProtocolPolicy: 'redirect-to-https',
        allowedMethods: ['GET', 'HEAD'],
        cachedMethods: ['GET', 'HEAD'],
        cachePolicyId: managed.cachingOptimized,
        responseHeadersPolicyId: strict.id,
        compress: true,
      },
      // HTTP is refused here: a redirect would lose the body of a POST and send its key unencrypted once.
      ...['/events', '/events/*', '/v1/*', '/trpc/*'].map((pathPattern) => ({
        pathPattern,
        ...toServer('https-only', strict.id),
      })),
    ],
    customErrorResponses: keptErrors.map((errorCode) => ({ errorCode, errorCachingMinTtl: 0 })),
    waitForDeployment: true,
    tags: { Name: stack.prefix },
  })
  assets.allow([
    {
      Sid: 'CloudFront',
      Effect: 'Allow',
      Principal: { Service: 'cloudfront.amazonaws.com' },
      Action: ['s3:GetObject'],
      Resource: [interpolate`${assets.arn}/assets/*`],
      Condition: { StringEquals: { 'AWS:SourceArn': distribution.arn } },
    },
    // S3 answers 403 for a missing file unless the caller may list the bucket.
    {
      Sid: 'CloudFrontTellsWhatIsMissing',
      Effect: 'Allow',
      Principal: { Service: 'cloudfront.amazonaws.com' },
      Action: ['s3:ListBucket'],
      Resource: [assets.arn],
      Condition: { StringEquals: { 'AWS:SourceArn': distribution.arn } },
    },
  ])
  createRecords(stack, distribution)
  return {
    id: distribution.id,
    url: interpolate`https://${domain ?? distribution.domainName}`,
    target: distribution.domainName,
  }
}

function toServer(viewerProtocolPolicy: 'https-only' | 'redirect-to-https', responseHeadersPolicyId: Output<string>) {
  return {
    targetOriginId: 'server',
    viewerProtocolPolicy,
    allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'],
    cachedMethods: ['GET', 'HEAD'],
    cachePolicyId: managed.cachingDisabled,
    // Host keeps the origin's name; the server knows its public address from PUBLIC_URL.
    originRequestPolicyId: managed.allViewerExceptHostHeader,
    responseHeadersPolicyId,
    // CloudFront only compresses what it caches; the server compresses these answers.
    compress: false,
  } satisfies Behavior
}
