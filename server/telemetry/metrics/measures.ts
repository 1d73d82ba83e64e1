import { ageBounds, countBounds, Histogram, HistogramSeries, secondsBounds } from './histogram.ts'

/** What is measured as it happens. All times in seconds. */
export interface Measures {
  commitSize: Histogram
  commitDuration: Histogram
  flushSize: Histogram
  flushDuration: Histogram
  eventAge: Histogram
  requests: HistogramSeries<['http.request.method', 'http.route', 'http.response.status_code']>
  operations: HistogramSeries<['db.system.name', 'db.operation.name', 'db.collection.name', 'error.type']>
  collections: HistogramSeries<['v8js.gc.type']>
  /** Questions of pages and tools to the store, whichever engine answers. */
  questions: Histogram
}

export function createMeasures(): Measures {
  return {
    commitSize: new Histogram(countBounds),
    commitDuration: new Histogram(secondsBounds),
    flushSize: new Histogram(countBounds),
    flushDuration: new Histogram(secondsBounds),
    eventAge: new Histogram(ageBounds),
    requests: new HistogramSeries(['http.request.method', 'http.route', 'http.response.status_code'], secondsBounds),
    operations: new HistogramSeries(
      ['db.system.name', 'db.operation.name', 'db.collection.name', 'error.type'],
      secondsBounds,
    ),
    collections: new HistogramSeries(['v8js.gc.type'], secondsBounds),
    questions: new Histogram(secondsBounds),
  }
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** The method as an attribute: strangers may send any word. */
export function methodOf(method: string | undefined): string {
  return method !== undefined && methods.has(method) ? method : '_OTHER'
}
