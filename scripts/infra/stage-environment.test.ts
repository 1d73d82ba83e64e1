import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cpuOf } from '../../infra/settings.ts'
import { stageEnvironment } from './stage-environment.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'veritas-stage-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

describe('the environment of a stage', () => {
  it('is what its file says, over .env and under the environment', () => {
    writeFileSync(join(root, '.env'), 'VERITAS_STORE=uri\nVERITAS_LOG_DAYS=7\n')
    writeFileSync(join(root, '.env.staging'), 'VERITAS_LOG_DAYS=14\nVERITAS_INSTANCE_TYPE="t4g.small"\n')
    expect(stageEnvironment(root, 'staging', { VERITAS_STORE: 'embedded' })).toEqual({
      VERITAS_STORE: 'embedded',
      VERITAS_LOG_DAYS: '14',
      VERITAS_INSTANCE_TYPE: 't4g.small',
    })
  })

  it('tells for which processor a release is', () => {
    writeFileSync(join(root, '.env.staging'), 'VERITAS_INSTANCE_TYPE=t4g.small\n')
    expect(cpuOf(stageEnvironment(root, 'staging', {}))).toBe('arm64')
    expect(cpuOf(stageEnvironment(root, 'production', {}))).toBe('x64')
    expect(cpuOf(stageEnvironment(root, undefined, { VERITAS_INSTANCE_TYPE: '' }))).toBe('x64')
  })
})
