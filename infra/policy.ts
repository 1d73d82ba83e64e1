import { type Input, jsonStringify, type Output } from '@pulumi/pulumi'

/** One statement of a policy of IAM. */
export interface Statement {
  Sid: string
  Effect: 'Allow' | 'Deny'
  Principal?: '*' | { Service?: string; Federated?: Input<string> }
  Action: string[]
  Resource?: Input<string>[]
  Condition?: Record<string, Record<string, Input<string> | Input<string>[]>>
}

/** The document of a policy. */
export function policy(statements: Statement[]): Output<string> {
  return jsonStringify({ Version: '2012-10-17', Statement: statements })
}

/** The document by which a service of AWS may take a role, only for resources of this account. */
export function assumedBy(service: string, accountId: Output<string>): Output<string> {
  return policy([
    {
      Sid: 'Service',
      Effect: 'Allow',
      Principal: { Service: service },
      Action: ['sts:AssumeRole'],
      Condition: { StringEquals: { 'aws:SourceAccount': accountId } },
    },
  ])
}
