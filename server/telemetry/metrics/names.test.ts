import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type MetricName, type MetricSpec, metrics, prometheusName } from './names.ts'

const page = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')
const rows = [...page.matchAll(/^\| `([\w.]+)` \| (\w+) \| (\S+) \| (.*?) \| (.*?) \| (.*?) \|$/gm)]

describe('the list of metrics', () => {
  it('is the one of docs/metrics.md', () => {
    expect(rows.map(([, name]) => name).sort()).toEqual(Object.keys(metrics).sort())
    for (const [, name, kind, unit, attributes, text, look] of rows) {
      const spec: MetricSpec = metrics[name as MetricName]
      expect({ kind, unit, attributes, text }, name).toEqual({
        kind: spec.kind,
        unit: spec.unit,
        attributes: spec.attributes.map((attribute) => `\`${attribute}\``).join(' '),
        text: spec.text,
      })
      expect(look!.length, name).toBeGreaterThan(10)
    }
  })

  it('says on that page which are essential', () => {
    const sentence = /METRICS_SET=essential[\s\S]*?bill every series: (.*)\./.exec(page)![1]!
    const essential = Object.entries(metrics).filter(([, spec]) => 'essential' in spec && spec.essential)
    expect(sentence.split(', ').sort()).toEqual(essential.map(([name]) => `\`${name}\``).sort())
    expect(essential.length).toBeLessThan(20)
  })

  it('has one sentence for each, and no two names that Prometheus could not tell apart', () => {
    for (const [name, spec] of Object.entries(metrics)) expect(spec.text, name).toMatch(/^[A-Z0-9r].{20,}\.$/)
    const names = (Object.keys(metrics) as MetricName[]).map(prometheusName)
    expect(new Set(names).size).toBe(names.length)
  })
})
