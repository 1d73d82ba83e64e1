import { type Input, jsonStringify, type Output } from '@pulumi/pulumi'

/** A statement of an IAM policy. */
export interface Statement {
  Sid: string
  Effect: 'Allow' | 'Deny'
  Principal?: '*' | { Service?: string; Federated?: Input<string> }
  Action: string[]
  Resource?: Input<string>[]
  Condition?: Record<string, Record<string, Input<string> | Input<string>[]>>
}

/** The JSON document of a policy. */
export function policy(statements: Statement[]): Output<string> {
  return jsonStringify({ Version: '2012-10-17', Statement: statements })
}

/** Trust policy that lets an AWS service assume a role, only for resources of this account. */
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
