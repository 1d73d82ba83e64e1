import parsePrometheusTextFormat from 'parse-prometheus-text-format'
import { type MetricName, metrics, prometheusLabel, prometheusName } from '../server/telemetry/metrics/names.ts'
import type { TestServer } from './server.ts'
import { eventually } from './shop.ts'

/** Settings that make a server expose its metrics on any free port. */
export const metricsEnv = { METRICS_PORT: '0' }

export type Labels = Record<string, string>

interface Family {
  name: string
  metrics: { labels?: Labels; value: string }[]
}

/** The metrics of a server at one moment. */
export interface Shown {
  families: readonly Family[]
  /** The raw text. */
  text: string
  /** A counter or gauge, summed over the series with these attributes; 0 if there are none. */
  value(name: MetricName, attributes?: Labels): number
  /** A histogram, summed likewise. */
  histogram(name: MetricName, attributes?: Labels): { count: number; sum: number }
}

/** Reads the metrics of a server that was started with metricsEnv. */
export async function shownBy(server: Pick<TestServer, 'output'>): Promise<Shown> {
  const response = await fetch(await metricsUrl(server))
  if (response.status !== 200) throw new Error(`/metrics answered ${response.status}`)
  const text = await response.text()
  // The parser confuses histograms that have attributes; without type lines it reads their series correctly.
  const histograms = new Set([...text.matchAll(/^# TYPE (\S+) histogram$/gm)].map(([, name]) => name!))
  const plain = text.replace(/^# (HELP|UNIT|TYPE) (\S+) .*\n/gm, (line, _, name) => (histograms.has(name) ? '' : line))
  const families = parsePrometheusTextFormat(plain) as Family[]

  function sum(name: string, attributes: Labels): number {
    const wanted = Object.entries(attributes).map(([attribute, value]) => [prometheusLabel(attribute), value] as const)
    return families
      .filter((family) => family.name === name)
      .flatMap((family) => family.metrics)
      .filter(({ labels = {} }) => wanted.every(([label, value]) => labels[label] === value))
      .reduce((total, { value }) => total + Number(value), 0)
  }
  return {
    families,
    text,
    value(name, attributes = {}) {
      if (metrics[name].kind === 'histogram') throw new Error(`${name} is a histogram`)
      return sum(prometheusName(name), attributes)
    },
    histogram: (name, attributes = {}) => ({
      count: sum(`${prometheusName(name)}_count`, attributes),
      sum: sum(`${prometheusName(name)}_sum`, attributes),
    }),
  }
}

/** Finds the metrics address in the server's log; after a restart the last one counts. */
async function metricsUrl(server: Pick<TestServer, 'output'>): Promise<string> {
  let url: string | undefined
  await eventually(async () => {
    url = [...server.output().matchAll(/"url":"(http:\/\/127\.0\.0\.1:\d+\/metrics)"/g)].at(-1)?.[1]
    if (!url) throw new Error(`The server does not say where its metrics are:\n${server.output()}`)
  })
  return url!
}
