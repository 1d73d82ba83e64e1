import { getCallerIdentityOutput, getRegionOutput } from '@pulumi/aws'
import type { Output } from '@pulumi/pulumi'
import type { Settings } from './settings.ts'

/** What every file here needs to name and tag its resources. */
export interface Stack {
  stage: string
  settings: Settings
  /** veritas-STAGE: every name that people see begins with it. */
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
