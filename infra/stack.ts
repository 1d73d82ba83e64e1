import { getCallerIdentityOutput, getRegionOutput } from '@pulumi/aws'
import type { Output } from '@pulumi/pulumi'
import type { Settings } from './settings.ts'

/** What all files here need to name and tag resources. */
export interface Stack {
  stage: string
  settings: Settings
  /** veritas-STAGE, the prefix of all names visible in AWS. */
  prefix: string
  accountId: Output<string>
  region: Output<string>
}

export function createStack(settings: Settings): Stack {
  return {
    stage: settings.stage,
    settings,
    prefix: `veritas-${settings.stage}`,
    accountId: getCallerIdentityOutput().accountId,
    region: getRegionOutput().region,
  }
}
