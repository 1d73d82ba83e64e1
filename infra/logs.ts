import { cloudwatch } from '@pulumi/aws'
import type { Stack } from './stack.ts'

/** As infra/box/cloudwatch-agent.json names them. */
const nouns = ['server', 'releases', 'nginx'] as const

/** Where the instance's logs go; made here, so that none is kept for ever. */
export function createLogs(stack: Stack): cloudwatch.LogGroup[] {
  return nouns.map(
    (noun) =>
      new cloudwatch.LogGroup(`${noun[0]!.toUpperCase()}${noun.slice(1)}Log`, {
        name: `/veritas/${stack.stage}/${noun}`,
        retentionInDays: stack.settings.logDays,
      }),
  )
}
