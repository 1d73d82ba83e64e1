import { PassThrough } from 'node:stream'
import pino from 'pino'
import { expect, it } from 'vitest'
import { redact } from './redaction.ts'
import { createTelemetry } from './telemetry.ts'

const key = `pk_${'a1-_'.repeat(10)}`
const token = `vt_${'Zz09'.repeat(11)}`

it('takes keys, tokens, cookies, passwords, Authorization and e-mails out of a line, and leaves JSON', () => {
  const line = JSON.stringify({
    msg: `refused ${key} of lena.krüger+x@nordlicht.example\nlena@nordlicht.example\tand Bearer ${token}`,
    err: {
      message: `mongodb://admin:s3cret@db.example:27017 does not answer`,
      stack: `Error: x\n    at lena@nordlicht.example`,
    },
    req: {
      headers: { authorization: `Basic ${Buffer.from('sk:').toString('base64')}`, Cookie: 'veritas="abc\\"def"; a=b' },
    },
    deep: { deeper: { password: 'hunter2 "quoted"' } },
    path: 'journey.byUser',
  })
  const redacted = redact(line)
  for (const secret of [key, token, 'lena', 'krüger', 's3cret', 'hunter2', 'abc', 'c2s6', 'quoted'])
    expect(redacted).not.toContain(secret)
  expect(JSON.parse(redacted)).toEqual({
    msg: 'refused pk_[redacted] of [e-mail]\n[e-mail]\tand Bearer [redacted]',
    err: {
      message: 'mongodb://[redacted]@db.example:27017 does not answer',
      stack: 'Error: x\n    at [e-mail]',
    },
    req: { headers: { authorization: '[redacted]', Cookie: '[redacted]' } },
    deep: { deeper: { password: '[redacted]' } },
    path: 'journey.byUser',
  })
})

it('leaves what only looks like a secret', () => {
  const line = '{"msg":"@opentelemetry/api 1.9.1 at file:///a/b.js:1:2, pk_short, a@b, task_force"}'
  expect(redact(line)).toBe(line)
})

it('takes no longer than the line is long', () => {
  const started = performance.now()
  redact(`{"msg":"${'a'.repeat(200_000)}${'a.'.repeat(100_000)}"}`)
  expect(performance.now() - started).toBeLessThan(2000)
})

it('is done to every line of the log', () => {
  const lines: string[] = []
  const stream = new PassThrough().on('data', (line: Buffer) => lines.push(line.toString()))
  const { log } = createTelemetry({ logLevel: 'info', stream })
  log.info({ err: new Error(`no account of lena@nordlicht.example with ${key}`) }, 'refused')
  log.child({ cookie: 'veritas=1' }).warn('child')
  expect(pino.levels.labels[30]).toBe('info')
  expect(lines.join('')).toContain('pk_[redacted]')
  expect(lines.join('')).not.toMatch(/lena@|a1-_|veritas=1/)
})
