import { cloudfront } from '@pulumi/aws'
import { interpolate, type Output } from '@pulumi/pulumi'
import { createCertificate, createRecords } from './certificate.ts'
import type { Stack } from './stack.ts'
import type { Bucket } from './storage.ts'

/** Policies that AWS keeps under these ids for everybody. */
export const managed = {
  cachingDisabled: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
  cachingOptimized: '658327ea-f89d-4fab-a63d-7e88639e58f6',
  allViewerExceptHostHeader: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
} as const

/**
 * By itself CloudFront keeps such answers for ten seconds, most of them even when they say no-store, by their path alone:
 * what one account or query was refused, all would be.
 */
const keptErrors = [400, 403, 404, 405, 414, 500, 501, 502, 503, 504]

/** The header that nginx asks for (infra/box/nginx.conf). */
const originHeader = 'X-Veritas-Origin'

export interface Cdn {
  id: Output<string>
  /** https://… without a slash at the end. */
  url: Output<string>
  /** The name that CloudFront gave: what a CNAME of one's own name leads to. */
  target: Output<string>
}

type Behavior = cloudfront.DistributionArgs['defaultCacheBehavior']

/** CloudFront: files of pages from their bucket, everything else from the server, nothing of which is kept. */
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
        // A connection that is kept saves three round trips; nginx keeps it longer (65 s).
        customOriginConfig: {
          httpPort: 80,
          httpsPort: 443,
          // Cookies, passwords and keys go this way. Without a name of its own nobody would sign a certificate for it.
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
      // A redirect would lose the body of a post and send the key once in the clear: it is refused instead.
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
    // Who may not list a bucket is told 403 of a file that is not there.
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
    // The server's own name stays in Host: it knows its address from PUBLIC_URL.
    originRequestPolicyId: managed.allViewerExceptHostHeader,
    responseHeadersPolicyId,
    // Nothing that is not kept is compressed here; the server does.
    compress: false,
  } satisfies Behavior
}
