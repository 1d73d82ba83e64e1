import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { type MetricSpec, metrics } from '../server/telemetry/metrics/names.ts'
import { type RecordedStack, recordStack } from './recorded-stack.ts'
import { scenarios } from './scenarios.ts'

const page = readFileSync(fileURLToPath(new URL('../docs/cost.md', import.meta.url)), 'utf8')
const HOURS = 730

/** Assumed usage of the sizes in docs/cost.md. */
const sizes = [
  { hour: 0.0104, dataGib: 20, changedGb: 10, s3Gb: 5, posts: 3, gbPosted: 3, logGb: 1, burstable: true },
  { hour: 0.0168, dataGib: 60, changedGb: 40, s3Gb: 40, posts: 30, gbPosted: 30, logGb: 2, burstable: true },
  { hour: 0.0816, dataGib: 200, changedGb: 100, s3Gb: 200, posts: 15, gbPosted: 135, logGb: 10, burstable: false },
]
/** The middle size with 20 events per post. */
const batched = { ...sizes[1]!, posts: 1.5, gbPosted: 13.5 }

/** Rounds to cents, half up; toFixed removes binary errors of values such as .115. */
const cents = (dollars: number) => Math.round(Number((dollars * 100).toFixed(6)))

/** Number of metric series that the agent sends for the essential metrics, for any number of processes. */
function serverSeries(): number {
  const values: Record<string, number> = { outcome: 4, reason: 3 }
  const essential = Object.values(metrics).filter((spec: MetricSpec) => spec.essential)
  return essential.reduce((sum, { attributes }: MetricSpec) => {
    const kept = attributes.find((attribute) => attribute in values)
    // One series per attribute value, and the total per instance.
    return sum + (kept ? values[kept]! + 1 : 1)
  }, 0)
}
/** Memory; two disks, each by its path, and the total of both. */
const machineSeries = 1 + 2 + 1

describe('docs/cost.md', () => {
  let stack: RecordedStack
  beforeAll(async () => {
    stack = await recordStack(scenarios[0]!)
  })

  /** Number of metrics that CloudWatch bills for alarms: every metric that an alarm reads. */
  function alarmMetrics(): number {
    return stack.of('cloudwatch/metricAlarm:MetricAlarm').reduce((sum, { inputs }) => {
      const queries = inputs.metricQueries as { metric?: object; expression?: string }[] | undefined
      const looked = queries?.filter(({ metric }) => metric).length ?? 1
      // A query instead of metrics reads one series.
      return sum + Math.max(1, looked)
    }, 0)
  }

  function amounts(size: (typeof sizes)[number]): [row: string, cents: number][] {
    const alarms = alarmMetrics() - (size.burstable ? 0 : 1)
    return [
      ['instance', cents(HOURS * size.hour)],
      ['public IPv4 address', cents(HOURS * 0.005)],
      ['volumes (system 12 GiB, data)', cents((12 + size.dataGib) * 0.08)],
      ['snapshots', cents(size.changedGb * 0.05)],
      ['S3: copies, exports, releases', cents(size.s3Gb * 0.023)],
      ['CloudFront requests', cents(Math.max(0, size.posts - 10))],
      ['CloudFront to the server', cents(size.gbPosted * 0.02)],
      ['CloudWatch metrics', cents(Math.max(0, serverSeries() + machineSeries - 10) * 0.3)],
      ['CloudWatch alarms', cents(Math.max(0, alarms - 10) * 0.1)],
      ['CloudWatch logs', cents(Math.max(0, size.logGb - 5) * 0.5)],
    ]
  }
  const sumOf = (rows: [string, number][]) => rows.reduce((sum, [, cents]) => sum + cents, 0)
  const shown = (cents: number) => (cents / 100).toFixed(2)

  it('has the amounts of its formula, and sums of what it shows', () => {
    const all = sizes.map(amounts)
    const few = amounts(batched)
    const cell = (of: number, inBatches: number) =>
      of === inBatches ? shown(of) : `${shown(of)} (${shown(inBatches)})`
    for (const [index, [row, small]] of all[0]!.entries()) {
      const [middle, large] = [all[1]![index]![1], all[2]![index]![1]]
      expect(page).toContain(`| ${row} | ${shown(small)} | ${cell(middle, few[index]![1])} | ${shown(large)} |`)
    }
    const [small, middle, large] = all.map(sumOf)
    expect(page).toContain(
      `| **together** | **${shown(small!)}** | **${cell(middle!, sumOf(few))}** | **${shown(large!)}** |`,
    )
    const free = cents(HOURS * 0.0104) + cents(HOURS * 0.005) + cents(30 * 0.08)
    expect(page).toContain(`about ${Math.round((small! - free) / 100)} (${shown(small!)} − 7.59 − 3.65 − 2.40)`)
  })

  it('counts the series and the metrics in alarms as they are', () => {
    expect(page).toContain(`${serverSeries()} of the server`)
    expect(page).toContain(`${machineSeries} of the machine: ${serverSeries() + machineSeries}`)
    expect(page).toContain(`${alarmMetrics()} with CPU credits, ${alarmMetrics() - 1} without`)
  })
})
