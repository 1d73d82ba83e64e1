import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type MetricName, metrics, prometheusLabel, prometheusName } from '../../server/telemetry/metrics/names.ts'
import { alarmRules } from '../alarm-rules.ts'
import { dashboards } from './dashboards.ts'
import { grafanaFiles } from './files.ts'
import { prometheusRules } from './rules.ts'

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
/** Every metric name that Prometheus can have, with its labels. */
const known = new Map<string, readonly string[]>()
for (const [name, { kind, attributes }] of Object.entries(metrics)) {
  const labels = attributes.map(prometheusLabel)
  const base = prometheusName(name as MetricName)
  if (kind === 'histogram') {
    known.set(`${base}_bucket`, [...labels, 'le'])
    known.set(`${base}_sum`, labels)
    known.set(`${base}_count`, labels)
  } else known.set(base, labels)
}

const functions = ['sum', 'max', 'min', 'by', 'rate', 'increase', 'histogram_quantile', 'time', 'abs', 'absent', 'and']
const queries = [
  ...dashboards.flatMap(({ panels }) => panels.flatMap(({ lines }) => lines.map(({ expr }) => expr))),
  ...prometheusRules().groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
]

describe('queries of dashboards and rules', () => {
  it.each(queries)('%s asks for metrics and labels that exist', (query) => {
    const grouped = [...query.matchAll(/by \(([^)]*)\)/g)].flatMap(([, labels]) => labels!.split(/,\s*/))
    const matched = [...query.matchAll(/\{([^}]*)\}/g)].flatMap(([, matchers]) =>
      [...matchers!.matchAll(/(\w+)=~?"[^"]*"/g)].map(([, label]) => label!),
    )
    const words = query
      .replace(/\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)/g, ' ')
      .match(/[a-z_][a-z0-9_]*/gi)!
      .filter((word) => !functions.includes(word))
    expect(words.length).toBeGreaterThan(0)
    for (const word of words) expect([...known.keys()]).toContain(word)
    const labels = words.flatMap((word) => known.get(word)!)
    // Prometheus adds the label instance to every series.
    for (const label of [...grouped, ...matched]) expect([...labels, 'instance']).toContain(label)
    const depth = [...query].reduce((open, letter) => open + (letter === '(' ? 1 : letter === ')' ? -1 : 0), 0)
    expect(depth).toBe(0)
  })
})

describe('the dashboards', () => {
  it('together show every metric that is ours, and the process', () => {
    const shown = queries.join(' ')
    const missing = Object.keys(metrics).filter((name) => !shown.includes(prometheusName(name as MetricName)))
    expect(missing).toEqual(['nodejs.eventloop.delay.mean', 'nodejs.eventloop.delay.max', 'v8js.memory.heap.limit'])
  })

  it('have panels that do not overlap, each with a text', () => {
    for (const { uid, panels } of dashboards) {
      type Placed = { id: number; gridPos: { x: number; y: number; w: number; h: number }; description: string }
      const model = JSON.parse(grafanaFiles()[`dashboards/${uid}.json`]!) as { panels: Placed[] }
      expect(model.panels).toHaveLength(panels.length)
      const cells = new Set<string>()
      for (const { id, gridPos, description } of model.panels) {
        expect(description.length).toBeGreaterThan(5)
        expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect(cells.has(`${x},${y}`), `${uid} panel ${id}`).toBe(false)
            cells.add(`${x},${y}`)
          }
      }
    }
  })

  it('and the rules are in the files as their code makes them', () => {
    for (const [name, text] of Object.entries(grafanaFiles()))
      expect(readFileSync(here(name), 'utf8'), `${name}: npm run dashboards`).toBe(text)
  })
})

describe('the alarms', () => {
  it('each have a name, a text, and a part of the runbook that names them', () => {
    const page = readFileSync(here('../../docs/operators.md'), 'utf8')
    const parts = new Map(page.split(/^#{2,3} /m).map((part) => [slugOf(part.split('\n', 1)[0]!), part]))
    expect(new Set(alarmRules.map(({ name }) => name)).size).toBe(alarmRules.length)
    for (const { name, text, runbook } of alarmRules) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/)
      expect(text).toMatch(/^[A-Z].{20,}\.$/)
      expect(parts.get(runbook), `${name}: docs/operators.md#${runbook}`).toContain(`\`${name}\``)
    }
  })

  it('watch only metrics that every set of metrics has', () => {
    for (const { name, of } of alarmRules)
      for (const metric of of.kind === 'percent' ? [of.part, of.whole] : [of.metric])
        expect('essential' in metrics[metric], `${name}: ${metric}`).toBe(true)
  })
})

/** The anchor that GitHub generates for a heading. */
function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .trim()
    .replace(/\s+/g, '-')
}
