import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { describe, expect, it } from 'vitest'
import { readGuards, readSettings, settingNames } from './settings.ts'

const production = { VERITAS_ALARM_EMAIL: 'ops@example.com' }

describe('stages', () => {
  it('takes any name of small letters, digits and dashes', () => {
    for (const stage of ['a', 'staging', 'pr-12', 'x'.repeat(32)]) expect(readSettings(stage, {}).stage).toBe(stage)
  })

  it.each([undefined, '', 'Production', '1st', 'a_b', 'a-', 'x'.repeat(33), '../x'])('refuses %j by name', (stage) => {
    expect(() => readSettings(stage, {})).toThrow(/Nothing was deployed\. stage: /)
  })

  it('refuses local, whose server may hold the demo shop', () => {
    expect(() => readSettings('local', {})).toThrow(/stage: "local"/)
  })

  it('protects production and whatever asks for it', () => {
    expect(readSettings('production', production).isProtected).toBe(true)
    expect(readSettings('staging', {}).isProtected).toBe(false)
    expect(readSettings('staging', { VERITAS_PROTECTED: 'true' }).isProtected).toBe(true)
    expect(() => readSettings('production', { ...production, VERITAS_PROTECTED: 'false' })).toThrow(/VERITAS_PROTECTED/)
  })
})

describe('settings', () => {
  it.each([
    ['VERITAS_REGION', 'frankfurt'],
    ['VERITAS_DOMAIN', 'https://events.example.com'],
    ['VERITAS_HOSTED_ZONE_ID', 'example.com'],
    [
      'VERITAS_CERTIFICATE_ARN',
      'arn:aws:acm:eu-central-1:123456789012:certificate/0f0e0d0c-0000-4000-8000-000000000000',
    ],
    ['VERITAS_PRICE_CLASS', '300'],
    ['VERITAS_STORE', 'postgres'],
    ['VERITAS_INSTANCE_TYPE', 'small'],
    ['VERITAS_DATA_VOLUME_GIB', '7'],
    ['VERITAS_ROLES', 'both'],
    ['VERITAS_INSTANCES', '0'],
    ['VERITAS_WEB_PORT', '80'],
    ['VERITAS_MAX_MEMORY', '700'],
    ['VERITAS_SITE_TIME_ZONE', 'Middle/Earth'],
    ['VERITAS_SITE_CURRENCY', 'euro'],
    ['VERITAS_ALARM_EMAIL', 'nobody'],
    ['VERITAS_LOG_DAYS', '31'],
    ['VERITAS_SNAPSHOTS', '0'],
    ['VERITAS_BACKUP_DAYS', 'long'],
    ['VERITAS_PROTECTED', 'yes'],
    ['VERITAS_GITHUB_REPOSITORY', 'https://github.com/a/b'],
    ['VERITAS_GITHUB_PROVIDER', 'maybe'],
    ['VERITAS_ARTIFACT_SHA256', 'abc'],
    ['VERITAS_VERSION', '1 0'],
  ])('%s=%s is refused by its name', (name, value) => {
    expect(() => readSettings('staging', { [name]: value })).toThrow(new RegExp(`${name}: `))
  })

  it('names everything that is wrong at once', () => {
    const wrong = { VERITAS_STORE: 'x', VERITAS_DOMIAN: 'events.example.com' }
    expect(() => readSettings('Bad', wrong)).toThrow(
      /stage: .*VERITAS_DOMIAN: there is no such setting.*VERITAS_STORE: /,
    )
  })

  it('names what is missing', () => {
    expect(() => readSettings('production', {})).toThrow(/VERITAS_ALARM_EMAIL: is missing/)
    expect(() => readSettings('a', { VERITAS_DOMAIN: 'events.example.com' })).toThrow(
      /VERITAS_HOSTED_ZONE_ID: is missing/,
    )
    expect(() => readSettings('a', { VERITAS_HOSTED_ZONE_ID: 'Z0123456789ABC' })).toThrow(/VERITAS_DOMAIN: is missing/)
    expect(() => readSettings('a', { VERITAS_VERSION: '1.0.0' })).toThrow(/VERITAS_ARTIFACT, /)
  })

  it.each([
    ['VERITAS_WEB_PORT', '3002', 'the trial of a release'],
    ['VERITAS_WEB_PORT', '3000', 'the process that takes events'],
    ['VERITAS_MAX_MEMORY', '1M', 'started again without end'],
    ['VERITAS_REGION', 'cn-north-1', 'CloudFront'],
    ['VERITAS_REGION', 'us-gov-west-1', 'CloudFront'],
    ['VERITAS_INSTANCE_TYPE', 't4g.nano', 't3.micro or larger'],
    ['VERITAS_INSTANCE_TYPE', 't2.micro', 'Nitro'],
    ['VERITAS_INSTANCE_TYPE', 'm4.large', 'Nitro'],
    ['VERITAS_INSTANCE_TYPE', 'a1.medium', 'Nitro'],
    ['VERITAS_INSTANCE_TYPE', 'mac2.metal', 'Nitro'],
    ['VERITAS_ZONE', 'eu-central', 'a zone of the region'],
  ])('refuses %s=%s, which AWS would take and which could not work', (name, value, why) => {
    const settings = { VERITAS_ROLES: 'split', [name]: value }
    expect(() => readSettings('staging', settings)).toThrow(new RegExp(`${name}: .*${why}`))
  })

  it('makes a data volume of a snapshot in a zone of the region alone', () => {
    const snapshot = { VERITAS_DATA_SNAPSHOT: 'snap-0123456789abcdef0' }
    expect(() => readSettings('a', snapshot)).toThrow(/VERITAS_ZONE: is missing/)
    expect(() =>
      readSettings('a', { ...snapshot, VERITAS_REGION: 'eu-west-1', VERITAS_ZONE: 'eu-central-1b' }),
    ).toThrow(/VERITAS_ZONE: eu-central-1b is no zone of eu-west-1/)
    expect(readSettings('a', { ...snapshot, VERITAS_ZONE: 'eu-central-1b' }).zone).toBe('eu-central-1b')
  })

  it('knows the ports of the box', () => {
    const box = readFileSync(fileURLToPath(new URL('box/settings.sh', import.meta.url)), 'utf8')
    const port = Number(/^ {2}PORT=\$\(setting PORT \S+ 'a port' (\d+)\)$/m.exec(box)?.[1])
    expect(box).toContain("TRIAL_PORT=$(setting TRIAL_PORT '[1-9][0-9]{1,4}' 'a port' $((PORT + 2)))")
    for (const taken of [port, port + 2])
      expect(() => readSettings('a', { VERITAS_ROLES: 'split', VERITAS_WEB_PORT: String(taken) })).toThrow('WEB_PORT')
  })

  it('refuses MongoDB on an instance that is too small for it', () => {
    expect(() => readSettings('a', { VERITAS_STORE: 'self-hosted' })).toThrow(/VERITAS_INSTANCE_TYPE: t3\.micro/)
    const settings = readSettings('a', { VERITAS_STORE: 'self-hosted', VERITAS_INSTANCE_TYPE: 't3.small' })
    expect(settings.store).toBe('self-hosted')
  })

  it.each([
    ['t3.micro', 'x86_64'],
    ['t4g.small', 'arm64'],
    ['m7gd.large', 'arm64'],
    ['c6gn.xlarge', 'arm64'],
    ['g4dn.xlarge', 'x86_64'],
    ['m7i-flex.large', 'x86_64'],
  ])('knows the processor of %s', (instanceType, architecture) => {
    expect(readSettings('a', { VERITAS_INSTANCE_TYPE: instanceType }).architecture).toBe(architecture)
  })

  it('takes an empty value for none, and no notice of other names', () => {
    const settings = readSettings('a', { VERITAS_DOMAIN: '', PORT: '99999', STAGE: 'local' })
    expect(settings.domain).toBeUndefined()
  })
})

describe('what SST is told first', () => {
  it('is the same that the settings say, and never an error', () => {
    for (const [stage, environment] of [
      ['production', production],
      ['a', {}],
      ['a', { VERITAS_PROTECTED: 'true', VERITAS_REGION: 'eu-west-1' }],
    ] as const)
      expect(readSettings(stage, environment)).toMatchObject(readGuards(stage, environment))
    expect(readGuards('Wrong', { VERITAS_PROTECTED: 'perhaps', VERITAS_REGION: '' })).toEqual({ isProtected: false })
  })
})

describe('example.env', () => {
  const text = readFileSync(fileURLToPath(new URL('./example.env', import.meta.url)), 'utf8')
  const values = parseEnv(text) as Record<string, string>

  it('has every setting and no other, each with a line of what it is', () => {
    expect(Object.keys(values).sort()).toEqual([...settingNames].sort())
    const lines = text.split('\n')
    for (const name of settingNames)
      expect(lines[lines.findIndex((line) => line.startsWith(`${name}=`)) - 1], name).toMatch(/^# \S.{10,}/)
  })

  it('shows the defaults', () => {
    expect(readSettings('a', values)).toEqual(readSettings('a', {}))
  })
})
