import * as pulumi from '@pulumi/pulumi'
import { createVeritas } from './main.ts'
import { type Recorded, record } from './mocks.ts'
import { createSampleRoot } from './sample-root.ts'
import type { Scenario } from './scenarios.ts'

/** The recorded resources of a stack, for tests. */
export interface RecordedStack {
  all: readonly Recorded[]
  /** Resources of a type such as ec2/instance:Instance. */
  of: (type: string) => Recorded[]
  /** The resource with a name; throws if there is none. */
  named: (name: string) => Recorded
  /** What `sst deploy` prints at the end. */
  outputs: Readonly<Record<string, string>>
}

export async function recordStack({ stage, environment }: Scenario): Promise<RecordedStack> {
  const sample = createSampleRoot()
  try {
    const openSecret = (name: string) => pulumi.secret(environment[`SST_SECRET_${name}`]!)
    const given = { stage, environment: { ...sample.release, ...environment }, root: sample.path, openSecret }
    let outputs: Record<string, string> = {}
    const all = await record(pulumi, stage, () => {
      const printed = createVeritas(given)
      pulumi.output(printed).apply((values) => {
        outputs = values as Record<string, string>
      })
    })
    const named = (name: string) => {
      const found = all.find((one) => one.name === name)
      if (!found) throw new Error(`The stack has no resource ${name}.`)
      return found
    }
    return { outputs, all, of: (type) => all.filter((one) => one.type === `aws:${type}`), named }
  } finally {
    sample.close()
  }
}
