import { dashboards } from './dashboards.ts'
import { dashboardModel } from './panels.ts'
import { type PrometheusRule, prometheusRules } from './rules.ts'

/** Contents of the generated files by path below infra/grafana. `npm run dashboards` writes them. */
export function grafanaFiles(): Record<string, string> {
  const files: Record<string, string> = { 'prometheus/veritas-rules.yml': rulesYaml() }
  for (const dashboard of dashboards)
    files[`dashboards/${dashboard.uid}.json`] = `${JSON.stringify(dashboardModel(dashboard), null, 2)}\n`
  return files
}

const NOTE = '# Made by npm run dashboards from infra/alarm-rules.ts.\n'

function rulesYaml(): string {
  const groups = prometheusRules().groups.map(
    ({ name, rules }) => `  - name: ${name}\n    rules:\n${rules.map(ruleYaml).join('')}`,
  )
  return `${NOTE}groups:\n${groups.join('')}`
}

/** One rule as YAML; JSON strings are valid YAML strings. */
function ruleYaml({ alert, expr, for: lasts, labels, annotations }: PrometheusRule): string {
  return `      - alert: ${alert}
        expr: ${JSON.stringify(expr)}
        for: ${lasts}
        labels:
          severity: ${labels.severity}
        annotations:
          summary: ${JSON.stringify(annotations.summary)}
          runbook: ${JSON.stringify(annotations.runbook)}
`
}
