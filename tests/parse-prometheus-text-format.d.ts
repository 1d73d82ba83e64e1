declare module 'parse-prometheus-text-format' {
  /** Throws if the text is not in Prometheus' text format. */
  export default function parsePrometheusTextFormat(text: string): unknown[]
}
