import { cloudwatch } from '@pulumi/aws'
import type { Stack } from './stack.ts'

/** The same names as in infra/box/cloudwatch-agent.json. */
const nouns = ['server', 'releases', 'nginx'] as const

/** Log groups of the instance. Created here to set a retention: by default logs are kept forever. */
export function createLogs(stack: Stack): cloudwatch.LogGroup[] {
  return nouns.map(
    (noun) =>
      new cloudwatch.LogGroup(`${noun[0]!.toUpperCase()}${noun.slice(1)}Log`, {
        name: `/veritas/${stack.stage}/${noun}`,
        retentionInDays: stack.settings.logDays,
      }),
  )
}
