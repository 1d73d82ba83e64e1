declare module 'parse-prometheus-text-format' {
  /** Throws for what is not Prometheus's text format. */
  export default function parsePrometheusTextFormat(text: string): unknown[]
}
