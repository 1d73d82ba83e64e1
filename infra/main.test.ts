import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as pulumi from '@pulumi/pulumi'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createVeritas } from './main.ts'
import { record } from './mocks.ts'
import { createSampleRoot, type SampleRoot } from './sample-root.ts'
import type { Environment } from './settings.ts'

let sample: SampleRoot
beforeEach(() => {
  sample = createSampleRoot()
})
afterEach(() => sample.close())

const openSecret = () => pulumi.secret('a secret')

/** Records the resources the stack would create, and the error message if it fails. */
async function attempt(stage: string, environment: Environment) {
  let message = ''
  const made = await record(pulumi, 'attempt', () => {
    try {
      return createVeritas({ stage, environment, root: sample.path, openSecret })
    } catch (error) {
      message = (error as Error).message
      return undefined
    }
  })
  return { touched: made.map(({ name }) => name), message }
}

describe('before any resource is touched', () => {
  it.each([
    ['a wrong stage', 'Wrong', {}, 'stage: "Wrong"'],
    ['a wrong setting', 'a', { VERITAS_STORE: 'x' }, 'VERITAS_STORE'],
    ['a missing setting', 'production', {}, 'VERITAS_ALARM_EMAIL: is missing'],
    ['a missing secret', 'a', { VERITAS_STORE: 'uri' }, 'secret StoreUrl is missing'],
    ['a wrong secret', 'a', { SST_SECRET_SessionSecret: 'short' }, 'secret SessionSecret must'],
    ['a release that is not there', 'a', { VERITAS_ARTIFACT: 'gone.tar.gz' }, 'gone.tar.gz cannot be read'],
    ['another checksum', 'a', { VERITAS_ARTIFACT_SHA256: 'f'.repeat(64) }, 'has the checksum'],
  ])('%s is named', async (_, stage, wrong, name) => {
    const { touched, message } = await attempt(stage, { ...sample.release, ...wrong })
    expect(message).toContain('Nothing was deployed')
    expect(message).toContain(name)
    expect(touched).toEqual([])
  })

  it('a build that is not there is named', async () => {
    rmSync(join(sample.path, 'build'), { recursive: true })
    const { touched, message } = await attempt('a', sample.release)
    expect(message).toContain('build/app/client/assets is empty: npm run build')
    expect(touched).toEqual([])
  })

  it('a file of pages without a content type is named', async () => {
    writeFileSync(join(sample.path, 'build/app/client/assets/film-1.mkv'), 'x')
    const { touched, message } = await attempt('a', sample.release)
    expect(message).toContain('film-1.mkv')
    expect(touched).toEqual([])
  })

  it('a bundle without install.sh is named', async () => {
    rmSync(join(sample.path, 'infra/box/install.sh'))
    const { touched, message } = await attempt('a', sample.release)
    expect(message).toContain('infra/box/install.sh')
    expect(touched).toEqual([])
  })
})

describe('without a release that was made before', () => {
  it('packs one of the checkout', async () => {
    const { touched, message } = await attempt('a', {})
    expect(message).toBe('')
    expect(touched).toContain('Release')
  })

  it('says so when it cannot be packed', async () => {
    writeFileSync(join(sample.path, 'print.mjs'), 'process.exitCode = 3')
    const { touched, message } = await attempt('a', {})
    expect(message).toContain('npm run package -- --cpu x64 says why')
    expect(touched).toEqual([])
  })

  it('does not take anything else for a release', async () => {
    writeFileSync(join(sample.path, 'print.mjs'), 'console.log("Building …")')
    const { message } = await attempt('a', {})
    expect(message).toContain('printed no release')
  })

  it('asks for the processor of the stage', async () => {
    const file = join(sample.path, 'print.mjs')
    const print = readFileSync(file, 'utf8')
    writeFileSync(file, `if (process.argv.at(-1) !== 'arm64') process.exit(1)\n${print}`)
    expect((await attempt('a', { VERITAS_INSTANCE_TYPE: 't4g.micro' })).message).toBe('')
    expect((await attempt('a', {})).message).toContain('--cpu x64')
  })
})
