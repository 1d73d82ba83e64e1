import type { Attributes, Meter, Observable } from '@opentelemetry/api'
import { type MetricName, type MetricSpec, metrics } from './names.ts'

/** Tells a value of a metric now. For counters it is the sum since the process began. */
export type Observe = (name: MetricName, value: number, attributes?: Attributes) => void
/** Reads some part of the server and tells its values; called when somebody looks. */
export type Source = (observe: Observe) => void | Promise<void>

export type MetricsSet = 'all' | 'essential'

/** Attributes that essential metrics keep; the series of others are added up. */
const essentialAttributes = new Set(['outcome', 'reason'])

export function isWanted(name: MetricName, set: MetricsSet): boolean {
  const spec: MetricSpec = metrics[name]
  return set === 'all' || spec.essential === true
}

/** Makes an instrument of every counter and gauge of the list, read from the sources at each collection. */
export function createInstruments(meter: Meter, sources: readonly Source[], set: MetricsSet): void {
  const instruments = new Map<MetricName, Observable>()
  for (const [name, spec] of Object.entries(metrics) as [MetricName, MetricSpec][]) {
    if (spec.kind === 'histogram' || !isWanted(name, set)) continue
    const options = { description: spec.text, unit: spec.unit }
    instruments.set(
      name,
      spec.kind === 'counter'
        ? meter.createObservableCounter(name, options)
        : meter.createObservableGauge(name, options),
    )
  }
  meter.addBatchObservableCallback(
    async (result) => {
      for (const { name, value, attributes } of await read(sources, set)) {
        const instrument = instruments.get(name)
        if (instrument) result.observe(instrument, value, attributes)
      }
    },
    [...instruments.values()],
  )
}

interface Reading {
  name: MetricName
  value: number
  attributes: Attributes
}

/** What all sources tell. One that fails costs its own metrics, not the others. */
async function read(sources: readonly Source[], set: MetricsSet): Promise<Iterable<Reading>> {
  const readings = new Map<string, Reading>()
  const observe: Observe = (name, value, attributes = {}) => {
    const kept =
      set === 'all'
        ? attributes
        : Object.fromEntries(Object.entries(attributes).filter(([attribute]) => essentialAttributes.has(attribute)))
    const key = `${name} ${Object.values(kept).join('\n')}`
    const same = readings.get(key)
    if (same) same.value += value
    else readings.set(key, { name, value, attributes: kept })
  }
  await Promise.allSettled(sources.map(async (source) => source(observe)))
  return readings.values()
}
