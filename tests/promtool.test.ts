import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { alarmRules } from '../infra/alarm-rules.ts'
import { dashboards } from '../infra/grafana/dashboards.ts'
import { prometheusRules, seriesOf } from '../infra/grafana/rules.ts'
import type { MetricName } from '../server/telemetry/metrics/names.ts'
import { describeWith } from './needs.ts'
import { findProgram } from './programs.ts'
import { metricsEnv, shownBy } from './prometheus.ts'
import { startServer, temporaryFolder } from './server.ts'

const program = findProgram('promtool', [], '/usr/bin')
const missing = existsSync(program) ? null : `no promtool at ${program}; it is in Debian's package prometheus`
const file = (name: string) => fileURLToPath(new URL(`../infra/grafana/prometheus/${name}`, import.meta.url))
const promtool = (args: string[]) => execFileSync(program, args, { encoding: 'utf8' })

describeWith({ path: program, missing }, 'promtool', () => {
  it('takes the rules and the configuration', () => {
    expect(promtool(['check', 'rules', file('veritas-rules.yml')])).toContain(`${alarmRules.length} rules found`)
    expect(promtool(['check', 'config', file('prometheus.yml')])).toContain('SUCCESS')
  })

  it('has each alarm go off for what it is there for, and none while all is well', () => {
    const well: [MetricName, string][] = [
      ['veritas.ingest.events.received', '0+900'],
      ['veritas.ingest.events.lost', '0'],
      ['veritas.ingest.waiting', '40'],
      ['veritas.ingest.oldest.age', '1'],
      ['veritas.ingest.balance', '0'],
      ['veritas.ingest.flush.failures', '5'],
      ['veritas.ingest.dead_letters', '0'],
      ['veritas.audit.mismatches', '2'],
      ['veritas.http.failures', '0'],
      ['veritas.http.requests', '0+60'],
      ['veritas.store.up', '1'],
      // The last export is a quarter of a minute ago whenever somebody looks.
      ['veritas.export.last_success', '1+15'],
      ['veritas.backup.last_success', '1+15'],
    ]
    // Every 15 seconds.
    const ill: Record<string, [MetricName, string][]> = {
      silence: [],
      'waiting-events': [['veritas.ingest.oldest.age', '301']],
      'refused-posts': [['veritas.ingest.requests.rejected', '0+20']],
      'flush-failures': [['veritas.ingest.flush.failures', '0+1']],
      imbalance: [['veritas.ingest.balance', '-1']],
      // As a start finds it, so that it never grows.
      'lost-events': [['veritas.ingest.events.lost', '3']],
      'audit-mismatches': [['veritas.audit.mismatches', '0+1']],
      'dead-letters': [['veritas.ingest.dead_letters', '1']],
      'server-failures': [
        ['veritas.http.failures', '0+1'],
        ['veritas.http.requests', '0+60'],
      ],
      'store-away': [['veritas.store.up', '0']],
      'export-missing': [['veritas.export.last_success', '1']],
      'export-never': [['veritas.export.last_success', '0']],
      'backup-missing': [['veritas.backup.last_success', '1']],
      'backup-never': [['veritas.backup.last_success', '0']],
    }
    expect(Object.keys(ill).sort()).toEqual(alarmRules.map(({ name }) => name).sort())
    const hoursOf = (name: string) => (/^(export|backup)-/.test(name) ? 32 : 1)
    const series = (all: [MetricName, string][], hours: number) =>
      all.map(([metric, values]) => ({
        series: seriesOf(metric, metric.endsWith('requests.rejected') ? { reason: 'rate_limited' } : {}),
        values: `${values}x${(hours * 3600) / 15}`,
      }))
    const rules = prometheusRules().groups.flatMap((group) => group.rules)
    const tests = alarmRules.map(({ name }, index) => {
      const { alert, labels, annotations } = rules[index]!
      const exp_alerts = [{ exp_labels: labels, exp_annotations: annotations }]
      const eval_time = `${hoursOf(name)}h`
      return {
        name,
        interval: '15s',
        input_series: series(ill[name]!, hoursOf(name)),
        alert_rule_test: [{ eval_time, alertname: alert, exp_alerts }],
      }
    })
    const fine = {
      name: 'all is well',
      interval: '15s',
      input_series: series(well, 32),
      alert_rule_test: rules.flatMap(({ alert }) =>
        ['20m', '32h'].map((eval_time) => ({ eval_time, alertname: alert, exp_alerts: [] })),
      ),
    }
    const path = join(temporaryFolder(), 'tests.yml')
    writeFileSync(
      path,
      JSON.stringify({ rule_files: [file('veritas-rules.yml')], evaluation_interval: '2m', tests: [...tests, fine] }),
    )
    const { status, stdout, stderr } = spawnSync(program, ['test', 'rules', path], { encoding: 'utf8' })
    expect(`${stdout}${stderr}`).toContain('SUCCESS')
    expect(status).toBe(0)
  })

  it('takes every query of the dashboards', () => {
    const queries = dashboards.flatMap(({ panels }) => panels.flatMap(({ lines }) => lines.map(({ expr }) => expr)))
    const rules = queries.map((expr, index) => ({
      record: `dashboards:query_${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m'),
    }))
    const path = join(temporaryFolder(), 'rules.yml')
    // JSON is YAML.
    writeFileSync(path, JSON.stringify({ groups: [{ name: 'dashboards', rules }] }))
    expect(promtool(['check', 'rules', path])).toContain(`${queries.length} rules found`)
  })

  it('can read what a server shows', async () => {
    const server = await startServer({ args: ['--no-demo'], env: metricsEnv })
    const { text } = await shownBy(server)
    const { status, stderr } = spawnSync(program, ['check', 'metrics'], { encoding: 'utf8', input: text })
    expect(stderr).not.toContain('error while linting')
    // 3 is advice on names: OpenTelemetry has names of its own.
    expect([0, 3]).toContain(status)
    await server.stop()
  })
})
