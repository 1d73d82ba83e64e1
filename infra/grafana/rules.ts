import { type MetricName, metrics, prometheusLabel, prometheusName } from '../../server/telemetry/metrics/names.ts'
import { type AlarmRule, alarmRules, type Measured } from '../alarm-rules.ts'

export interface PrometheusRule {
  alert: string
  expr: string
  for: string
  labels: { severity: string }
  annotations: { summary: string; runbook: string }
}

/** The alarms as one group of Prometheus rules. */
export function prometheusRules(): { groups: { name: string; rules: PrometheusRule[] }[] } {
  return { groups: [{ name: 'veritas', rules: alarmRules.map(ruleOf) }] }
}

function ruleOf(rule: AlarmRule): PrometheusRule {
  const { name, severity, text, runbook, periodSeconds, periods } = rule
  return {
    alert: `Veritas${name.replace(/(^|-)(\w)/g, (_, __, letter: string) => letter.toUpperCase())}`,
    expr: expressionOf(rule),
    // The expression of a growth rule already covers one period, so it must hold for the remaining ones.
    for: `${isGrowth(rule.of) ? periodSeconds * (periods - 1) : periodSeconds * periods}s`,
    labels: { severity },
    annotations: { summary: text, runbook: `docs/operators.md#${runbook}` },
  }
}

function isGrowth({ kind }: Measured): boolean {
  return kind === 'growth' || kind === 'percent'
}

function expressionOf({ of, when, threshold, periodSeconds }: AlarmRule): string {
  const compared = `${when} ${threshold}`
  switch (of.kind) {
    case 'highest':
    case 'ever':
      return `max(${seriesOf(of.metric)}) ${compared}`
    case 'lowest':
      return `min(${seriesOf(of.metric)}) ${compared}`
    case 'magnitude':
      return `max(abs(${seriesOf(of.metric)})) ${compared}`
    case 'growth':
      return `sum(increase(${seriesOf(of.metric, of.where)}[${periodSeconds}s])) ${compared}`
    case 'percent': {
      const [part, whole] = [of.part, of.whole].map((metric) => `sum(increase(${seriesOf(metric)}[${periodSeconds}s]))`)
      return `100 * ${part} / ${whole} ${compared} and ${whole} >= ${of.atLeast}`
    }
    case 'age':
      return `time() - max(${seriesOf(of.metric)}) ${compared} and max(${seriesOf(of.metric)}) > 0`
    case 'silence':
      return `absent(${seriesOf(of.metric)})`
  }
}

/** A metric in PromQL, restricted to series with these attributes. */
export function seriesOf(metric: MetricName, where: Record<string, string> = {}): string {
  return prometheusName(metric) + matchersOf(metric, where)
}

export function matchersOf(metric: MetricName, where: Record<string, string>): string {
  const attributes = metrics[metric].attributes as readonly string[]
  for (const attribute of Object.keys(where))
    if (!attributes.includes(attribute)) throw new Error(`${metric} has no attribute ${attribute}`)
  const matchers = Object.entries(where).map(([attribute, value]) => `${prometheusLabel(attribute)}="${value}"`)
  return matchers.length > 0 ? `{${matchers.join(',')}}` : ''
}
