import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { alarmRules } from '../infra/alarm-rules.ts'
import { dashboards } from '../infra/grafana/dashboards.ts'
import { describeWith } from './needs.ts'
import { findProgram } from './programs.ts'
import { metricsEnv, shownBy } from './prometheus.ts'
import { startServer, temporaryFolder } from './server.ts'

const path = findProgram('promtool', [], '/usr/bin')
const missing = existsSync(path) ? null : `no promtool at ${path}; it is in Debian's package prometheus`
const file = (name: string) => fileURLToPath(new URL(`../infra/grafana/prometheus/${name}`, import.meta.url))
const promtool = (args: string[]) => execFileSync(path, args, { encoding: 'utf8' })

describeWith({ path, missing }, 'promtool', () => {
  it('takes the rules and the configuration', () => {
    expect(promtool(['check', 'rules', file('veritas-rules.yml')])).toContain(`${alarmRules.length} rules found`)
    expect(promtool(['check', 'config', file('prometheus.yml')])).toContain('SUCCESS')
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
    const { status, stderr } = spawnSync(path, ['check', 'metrics'], { encoding: 'utf8', input: text })
    expect(stderr).not.toContain('error while linting')
    // 3 is advice on names: OpenTelemetry has names of its own.
    expect([0, 3]).toContain(status)
    await server.stop()
  })
})
