import { type MetricName, metrics, prometheusLabel, prometheusName } from '../../server/telemetry/metrics/names.ts'
import { matchersOf, seriesOf } from './rules.ts'

/** Grafana's names of units. */
type Unit = 'short' | 's' | 'bytes' | 'percentunit' | 'reqps' | 'eps' | 'cps' | 'dtdurations'

export interface Line {
  /** What stands in the legend; {{label}} is filled in by Grafana. */
  legend: string
  expr: string
}

export interface Panel {
  title: string
  /** What to read from it. */
  text: string
  unit: Unit
  lines: Line[]
  /** One large number instead of lines over time. */
  single?: true
  /** Lines on top of each other. */
  stacked?: true
  /** In 24ths of the width; a third unless given. */
  width?: number
  /** From here on it is red. */
  limit?: number
}

export interface Dashboard {
  uid: string
  title: string
  panels: Panel[]
}

const INTERVAL = '$__rate_interval'

/** How fast a counter grows, in units a second. */
export function rate(metric: MetricName, where?: Record<string, string>, by?: string): string {
  const sum = by ? `sum by (${labelOf(metric, by)})` : 'sum'
  return `${sum} (rate(${seriesOf(metric, where)}[${INTERVAL}]))`
}

/** By how much a counter grew in the last day. */
export function inADay(metric: MetricName): string {
  return `sum (increase(${seriesOf(metric)}[1d]))`
}

/** How often a histogram was measured, in times a second. */
export function times(metric: MetricName, by?: string): string {
  const sum = by ? `sum by (${labelOf(metric, by)})` : 'sum'
  return `${sum} (rate(${histogramOf(metric)}_count[${INTERVAL}]))`
}

/** The value below which this share of a histogram's measurements lies. */
export function quantile(share: number, metric: MetricName, by?: string, where: Record<string, string> = {}): string {
  const labels = by ? `le, ${labelOf(metric, by)}` : 'le'
  const buckets = `${histogramOf(metric)}_bucket${matchersOf(metric, where)}`
  return `histogram_quantile(${share}, sum by (${labels}) (rate(${buckets}[${INTERVAL}])))`
}

/** The average of a histogram's measurements. */
export function average(metric: MetricName): string {
  const name = histogramOf(metric)
  return `sum (rate(${name}_sum[${INTERVAL}])) / sum (rate(${name}_count[${INTERVAL}]))`
}

/** A gauge over all processes. */
export function gauge(how: 'sum' | 'max' | 'min', metric: MetricName): string {
  return `${how} (${seriesOf(metric)})`
}

/** A gauge of each process. */
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

/** A dashboard as Grafana imports it: panels in their order, row by row. */
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
