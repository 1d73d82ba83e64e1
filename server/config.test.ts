import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { describe, expect, it } from 'vitest'
import { readConfig, settingNames } from './config.ts'

const example = parseEnv(readFileSync(new URL('../.env.example', import.meta.url), 'utf8'))

describe('readConfig', () => {
  it('has a default for every setting', () => {
    expect(readConfig({})).toMatchObject({ stage: 'local', host: '127.0.0.1', port: 3000, demo: true })
  })

  it('takes an empty variable for one that is not set', () => {
    expect(readConfig({ PORT: '', PUBLIC_URL: '' })).toMatchObject({ port: 3000, publicUrl: undefined })
  })

  it.each([
    [{}, false],
    [{ HOST: 'localhost' }, false],
    [{ HOST: '::1' }, false],
    [{ HOST: '127.8.0.1' }, false],
    [{ HOST: '0.0.0.0' }, true],
    [{ HOST: '::' }, true],
    [{ HOST: '127.0.0.1.example.com' }, true],
    [{ HOST: 'veritas.internal' }, true],
    [{ STAGE: 'production' }, true],
  ])('with %j the first account needs a set-up code: %s', (environment, needed) => {
    expect(readConfig(environment).needsSetupCode).toBe(needed)
  })

  it('takes a file or a MongoDB for the store', () => {
    expect(readConfig({ DATA_DIR: '/data' })).toMatchObject({ mongoUrl: null, storePath: '/data/veritas.db' })
    expect(readConfig({ STORE_URL: 'sqlite:/x/y.db' })).toMatchObject({ mongoUrl: null, storePath: '/x/y.db' })
    for (const url of ['mongodb://a,b/shop?replicaSet=rs', 'mongodb+srv://user:pass@cluster.example'])
      expect(readConfig({ STORE_URL: url })).toMatchObject({ mongoUrl: url })
  })

  it.each([
    ['PORT', 'abc'],
    ['PORT', '70000'],
    ['STAGE', 'My Stage'],
    ['SITE_TIME_ZONE', 'Mars/Olympus'],
    ['SITE_CURRENCY', 'euro'],
    ['SESSION_SECRET', 'short'],
    ['PUBLIC_URL', 'ftp://x'],
    ['STORE_URL', 'mysql://x'],
    ['DEMO', 'maybe'],
    ['FLUSH_EVENTS', '0'],
    ['LOG_LEVEL', 'loud'],
    ['ROLE', 'writer'],
    ['METRICS_PORT', 'on'],
    ['METRICS_PORT', '65536'],
    ['METRICS_EXPORTER', 'statsd'],
    ['OTLP_URL', 'collector:4318'],
    ['TRACE_SHARE', '2'],
  ])('names the wrong setting %s=%s', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(name)
  })

  it.each([
    ['PORT', '8080', 8080],
    ['PORT', '0', 0],
    ['METRICS_PORT', '9000', 9000],
    ['TRACE_SHARE', '1', 1],
    ['TRACE_SHARE', '0.05', 0.05],
  ])('takes plain digits: %s=%s', (name, value, number) => {
    const { port, metrics, traceShare } = readConfig({ [name]: value })
    expect({ PORT: port, METRICS_PORT: metrics.port, TRACE_SHARE: traceShare }).toMatchObject({ [name]: number })
  })

  const numbers = settingNames.filter((name) => /^\d+$/.test(example[name] ?? ''))

  it.each(numbers)('takes %s in plain digits alone, and says so by its name', (name) => {
    for (const value of ['1e3', '0x10', '0b1', '1_000', ' 1', '1 ', '+1', '1.', 'Infinity', 'NaN', '9'.repeat(400)])
      expect(() => readConfig({ [name]: value }), value).toThrow(`Wrong setting. ${name}: `)
  })

  it('refuses a buffer that could never take a full request', () => {
    expect(() => readConfig({ INGEST_BUFFER_EVENTS: '100', INGEST_MAX_EVENTS: '2500' })).toThrow('INGEST_BUFFER_EVENTS')
  })

  it('refuses a log in memory where another process must see what waits', () => {
    expect(readConfig({ ROLE: 'ingest' }).role).toBe('ingest')
    expect(readConfig({ INGEST_ACK: 'memory' }).role).toBe('all')
    expect(() => readConfig({ ROLE: 'web', INGEST_ACK: 'memory' })).toThrow('INGEST_ACK')
  })

  it('makes a demo only on the local stage', () => {
    expect(readConfig({ STAGE: 'prod' }).demo).toBe(false)
    expect(readConfig({}, ['--no-demo']).demo).toBe(false)
    expect(() => readConfig({ STAGE: 'prod', DEMO: 'true' })).toThrow('demo')
  })

  it('gives each process of a machine its own port for metrics', () => {
    const port = (environment: Record<string, string>) => readConfig(environment).metrics.port
    expect(port({})).toBe(9464)
    expect(port({ NODE_APP_INSTANCE: '2' })).toBe(9466)
    expect(port({ ROLE: 'ingest', NODE_APP_INSTANCE: '0' })).toBe(9464)
    expect(port({ ROLE: 'web', NODE_APP_INSTANCE: '1' })).toBe(9466)
    expect(port({ METRICS_PORT: '0', NODE_APP_INSTANCE: '3' })).toBe(0)
    expect(port({ METRICS_PORT: 'off' })).toBeNull()
  })

  it('refuses an option it does not know', () => {
    expect(() => readConfig({}, ['--nodemo'])).toThrow('--nodemo')
  })
})
