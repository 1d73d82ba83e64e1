import { type Attributes, ValueType } from '@opentelemetry/api'
import { emptyResource } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  DataPointType,
  type HistogramMetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics'
import type { Histogram } from './histogram.ts'
import { isWanted, type MetricsSet } from './instruments.ts'
import type { Measures } from './measures.ts'
import { type MetricName, type MetricSpec, metrics } from './names.ts'

type HrTime = [seconds: number, nanoseconds: number]
type Series = Iterable<{ attributes: Attributes; histogram: Histogram }>

/** Hands our own histograms to whichever exporter collects, as OpenTelemetry's data. */
export function createHistogramProducer(measures: Measures, set: MetricsSet, now: () => number): MetricProducer {
  const startTime = hrTime(now())
  const series: [MetricName, Series][] = [
    ['veritas.ingest.commit.size', alone(measures.commitSize)],
    ['veritas.ingest.commit.duration', alone(measures.commitDuration)],
    ['veritas.ingest.flush.batch_size', alone(measures.flushSize)],
    ['veritas.ingest.flush.duration', alone(measures.flushDuration)],
    ['veritas.ingest.event.age', alone(measures.eventAge)],
    ['http.server.request.duration', measures.requests],
    ['db.client.operation.duration', measures.operations],
    ['v8js.gc.duration', measures.collections],
  ]
  const wanted = series.filter(([name]) => isWanted(name, set))
  return {
    async collect() {
      const endTime = hrTime(now())
      const data = wanted.map(([name, histograms]) => histogramData(name, histograms, startTime, endTime))
      return {
        resourceMetrics: {
          resource: emptyResource(),
          scopeMetrics: [
            { scope: { name: 'veritas' }, metrics: data.filter(({ dataPoints }) => dataPoints.length > 0) },
          ],
        },
        errors: [],
      }
    },
  }
}

function alone(histogram: Histogram): Series {
  return [{ attributes: {}, histogram }]
}

function histogramData(name: MetricName, series: Series, startTime: HrTime, endTime: HrTime): HistogramMetricData {
  const { text, unit }: MetricSpec = metrics[name]
  return {
    descriptor: { name, description: text, unit, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPointType: DataPointType.HISTOGRAM,
    dataPoints: [...series].map(({ attributes, histogram: { bounds, buckets, count, sum } }) => ({
      startTime,
      endTime,
      attributes,
      value: { buckets: { boundaries: [...bounds], counts: [...buckets] }, count, sum },
    })),
  }
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)]
}
