import { type MetricName, metrics, prometheusLabel, prometheusName } from '../../server/telemetry/metrics/names.ts'
import { matchersOf, seriesOf } from './rules.ts'

/** Unit names in Grafana. */
type Unit = 'short' | 's' | 'bytes' | 'percentunit' | 'reqps' | 'eps' | 'cps' | 'dtdurations'

export interface Line {
  /** Text in the legend; Grafana replaces {{label}}. */
  legend: string
  expr: string
}

export interface Panel {
  title: string
  /** Explains how to read the panel. */
  text: string
  unit: Unit
  lines: Line[]
  /** Show one large number instead of a graph. */
  single?: true
  /** Stack the series. */
  stacked?: true
  /** Width in 24ths of the dashboard; 8 by default. */
  width?: number
  /** Values from this on are red. */
  limit?: number
}

export interface Dashboard {
  uid: string
  title: string
  panels: Panel[]
}

const INTERVAL = '$__rate_interval'

/** Growth of a counter per second. */
export function rate(metric: MetricName, where?: Record<string, string>, by?: string): string {
  const sum = by ? `sum by (${labelOf(metric, by)})` : 'sum'
  return `${sum} (rate(${seriesOf(metric, where)}[${INTERVAL}]))`
}

/** Growth of a counter over the last day. */
export function inADay(metric: MetricName): string {
  return `sum (increase(${seriesOf(metric)}[1d]))`
}

/** Number of measurements in a histogram per second. */
export function times(metric: MetricName, by?: string): string {
  const sum = by ? `sum by (${labelOf(metric, by)})` : 'sum'
  return `${sum} (rate(${histogramOf(metric)}_count[${INTERVAL}]))`
}

/** The given quantile (0..1) of a histogram's measurements. */
export function quantile(share: number, metric: MetricName, by?: string, where: Record<string, string> = {}): string {
  const labels = by ? `le, ${labelOf(metric, by)}` : 'le'
  const buckets = `${histogramOf(metric)}_bucket${matchersOf(metric, where)}`
  return `histogram_quantile(${share}, sum by (${labels}) (rate(${buckets}[${INTERVAL}])))`
}

/** The mean of a histogram's measurements. */
export function average(metric: MetricName): string {
  const name = histogramOf(metric)
  return `sum (rate(${name}_sum[${INTERVAL}])) / sum (rate(${name}_count[${INTERVAL}]))`
}

/** A gauge, aggregated over all processes. */
export function gauge(how: 'sum' | 'max' | 'min', metric: MetricName): string {
  return `${how} (${seriesOf(metric)})`
}

/** A gauge, one series per process. */
export function each(metric: MetricName, where?: Record<string, string>): string {
  return `max by (instance) (${seriesOf(metric, where)})`
}

function histogramOf(metric: MetricName): string {
  if (metrics[metric].kind !== 'histogram') throw new Error(`${metric} is no histogram`)
  return prometheusName(metric)
}

function labelOf(metric: MetricName, attribute: string): string {
  if (!(metrics[metric].attributes as readonly string[]).includes(attribute))
    throw new Error(`${metric} has no attribute ${attribute}`)
  return prometheusLabel(attribute)
}

const COLUMNS = 24
const HEIGHT = 8
const SINGLE_HEIGHT = 4

/** A dashboard in Grafana's import format, with its panels placed row by row. */
export function dashboardModel({ uid, title, panels }: Dashboard): object {
  let x = 0
  let y = 0
  let rowHeight = 0
  const placed = panels.map((panel, index) => {
    const width = panel.width ?? (panel.single ? 4 : 8)
    const height = panel.single ? SINGLE_HEIGHT : HEIGHT
    if (x + width > COLUMNS) {
      x = 0
      y += rowHeight
      rowHeight = 0
    }
    const place = { x, y, w: width, h: height }
    x += width
    rowHeight = Math.max(rowHeight, height)
    return panelModel(panel, index + 1, place)
  })
  return {
    uid,
    title,
    tags: ['veritas'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    templating: {
      list: [{ name: 'source', label: 'Source', type: 'datasource', query: 'prometheus', current: {}, hide: 0 }],
    },
    links: [{ type: 'dashboards', tags: ['veritas'], title: 'Veritas', asDropdown: true }],
    panels: placed,
  }
}

function panelModel(panel: Panel, id: number, gridPos: object): object {
  const { title, text, unit, lines, single, stacked, limit } = panel
  const datasource = { type: 'prometheus', uid: '$source' }
  const steps = [{ color: 'green', value: null }, ...(limit === undefined ? [] : [{ color: 'red', value: limit }])]
  return {
    id,
    type: single ? 'stat' : 'timeseries',
    title,
    description: text,
    datasource,
    gridPos,
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        thresholds: { mode: 'absolute', steps },
        ...(!single && {
          custom: {
            drawStyle: 'line',
            fillOpacity: stacked ? 30 : 8,
            showPoints: 'never',
            stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
            thresholdsStyle: { mode: limit === undefined ? 'off' : 'line' },
          },
        }),
      },
      overrides: [],
    },
    options: single
      ? {
          reduceOptions: { calcs: ['lastNotNull'] },
          colorMode: limit === undefined ? 'none' : 'value',
          graphMode: 'area',
        }
      : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: lines.map(({ legend, expr }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr,
      legendFormat: legend,
    })),
  }
}
