import { acm, route53 } from '@pulumi/aws'
import { type Output, output } from '@pulumi/pulumi'
import type { Stack } from './stack.ts'

/** CloudFront only accepts certificates from this region. */
export const cloudfrontRegion = 'us-east-1'

/**
 * The certificate of the host name: the configured one, or one that AWS validates by a DNS record and renews. Undefined
 * without a host name: CloudFront then uses its own.
 */
export function createCertificate(stack: Stack): Output<string> | undefined {
  const { domain, certificateArn, hostedZoneId } = stack.settings
  if (!domain) return undefined
  if (certificateArn) return output(certificateArn)
  const certificate = new acm.Certificate('Certificate', {
    domainName: domain,
    validationMethod: 'DNS',
    region: cloudfrontRegion,
    tags: { Name: `${stack.prefix}-${domain}` },
  })
  const proof = certificate.domainValidationOptions.apply((options) => options[0]!)
  const proofRecord = new route53.Record('CertificateProof', {
    zoneId: hostedZoneId!,
    name: proof.resourceRecordName,
    type: proof.resourceRecordType,
    records: [proof.resourceRecordValue],
    ttl: 300,
    allowOverwrite: true,
  })
  const proved = new acm.CertificateValidation('CertificateProved', {
    certificateArn: certificate.arn,
    validationRecordFqdns: [proofRecord.fqdn],
    region: cloudfrontRegion,
  })
  return proved.certificateArn
}

/** DNS record of the origin: CloudFront reaches the instance by this name. infra/box/tls.sh gets its certificate. */
export function createOriginRecord(stack: Stack, ip: Output<string>): void {
  const { originName, hostedZoneId } = stack.settings
  if (!originName || !hostedZoneId) return
  new route53.Record('OriginRecord', { zoneId: hostedZoneId, name: originName, type: 'A', records: [ip], ttl: 60 })
}

/** DNS records of the host name, if its zone is known. */
export function createRecords(
  stack: Stack,
  target: { domainName: Output<string>; hostedZoneId: Output<string> },
): void {
  const { domain, hostedZoneId } = stack.settings
  if (!domain || !hostedZoneId) return
  for (const type of ['A', 'AAAA'])
    new route53.Record(`Record${type}`, {
      zoneId: hostedZoneId,
      name: domain,
      type,
      aliases: [{ name: target.domainName, zoneId: target.hostedZoneId, evaluateTargetHealth: false }],
    })
}
