import { readdirSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../shop.ts'
import { type Box, createBox, type Ran } from './box.ts'
import { type Behaviour, uploadSmall } from './small-release.ts'

/** A release that changes the store, over one that knows nothing of that nor has a command for it. */
describe('a release that changes the store', () => {
  const boxes: Box[] = []
  afterEach(async () => {
    for (const box of boxes.splice(0)) await box.close()
  })

  const store = (box: Box) => box.read('var/lib/veritas/data/veritas.db')
  const answering = async (box: Box) =>
    (
      (await (await fetch(`http://127.0.0.1:${box.port}/`, { signal: AbortSignal.timeout(5000) })).json()) as {
        version: string
      }
    ).version

  async function deploy(box: Box, version: string, behaviour: Behaviour, knows: number): Promise<Ran> {
    const what = await uploadSmall(box, version, behaviour, { knows, hasTool: knows > 4 })
    return box.run('deploy.sh', what.bucket, what.key, what.sha256, what.version)
  }

  async function withBefore(settings?: Record<string, string>): Promise<Box> {
    const box = await createBox(settings)
    boxes.push(box)
    expect(await deploy(box, '1.0.0+before', 'good', 4)).toMatchObject({ code: 0 })
    expect(store(box)).toBe('4')
    return box
  }

  it('has a way back, which says what it takes', async () => {
    const box = await withBefore()
    expect(await deploy(box, '1.0.0+next', 'good', 5)).toMatchObject({
      code: 0,
      output: expect.stringContaining('changes the store, of which a copy is kept: 1.0.0+before stops serving'),
    })
    expect(store(box)).toBe('5')
    expect(await box.run('rollback.sh')).toMatchObject({
      code: 5,
      output: expect.stringContaining('rollback.sh --with-copy 1.0.0+before'),
    })
    expect(await answering(box)).toBe('1.0.0+next')
    const back = await box.run('rollback.sh', '--with-copy')
    expect(back).toMatchObject({
      code: 0,
      output: expect.stringContaining('The store is what it was before 1.0.0+next'),
    })
    expect(store(box)).toBe('4')
    expect(await answering(box)).toBe('1.0.0+before')
    expect(await box.run('rollback.sh', '--with-copy')).toMatchObject({
      code: 2,
      output: expect.stringContaining('No copy of the store is kept'),
    })
    // And forward again.
    expect(await box.run('rollback.sh', '1.0.0+next')).toMatchObject({ code: 0 })
    expect(store(box)).toBe('5')
  })

  it('has changed nothing when its trial fails: the one before starts again', async () => {
    const box = await withBefore({ TRIAL_SECONDS: '6', HEALTH_SECONDS: '12' })
    expect(await deploy(box, '1.0.0+bad', 'never healthy', 5)).toMatchObject({ code: 5 })
    expect(store(box)).toBe('4')
    expect(readdirSync(box.path('var/lib/veritas'))).toEqual(['data'])
    const [running] = await box.processes()
    process.kill(running!.pid, 'SIGKILL')
    await expect.poll(() => answering(box), { timeout: 60_000 }).toBe('1.0.0+before')
  })

  it('killed while it changes the store is taken back by the next script, whatever that is asked for', async () => {
    const box = await withBefore()
    const next = await uploadSmall(box, '1.0.0+next', 'good', { knows: 5, hasTool: true, waits: true })
    const args = [next.bucket, next.key, next.sha256, next.version] as const
    const { child, ended } = box.begin('deploy.sh', ...args)
    await eventually(async () => expect(store(box)).toBe('5'))
    child.kill('SIGKILL')
    await ended
    await expect(answering(box)).rejects.toThrow()
    writeFileSync(box.path('var/lib/veritas/data/go-on'), '')
    // One that comes to nothing: what it finds is brought up all the same.
    const other = await box.run('deploy.sh', next.bucket, next.key, '0'.repeat(64), '1.0.0+next')
    expect(other).toMatchObject({ code: 4, output: expect.stringContaining('first back to 1.0.0+before') })
    expect(store(box)).toBe('4')
    expect(await answering(box)).toBe('1.0.0+before')
    expect(await box.run('deploy.sh', ...args)).toMatchObject({ code: 0 })
    expect(store(box)).toBe('5')
    expect(await answering(box)).toBe('1.0.0+next')
  })

  it('has its changes taken back when it does not answer under PM2', async () => {
    const box = await withBefore({ TRIAL_SECONDS: '12', HEALTH_SECONDS: '12' })
    const { code, output } = await deploy(box, '1.0.0+bad', 'dies under PM2', 5)
    expect(output).toContain('The store is what it was before 1.0.0+bad')
    expect(output).toContain('1.0.0+before serves again')
    expect(code).toBe(6)
    expect(store(box)).toBe('4')
    expect(await answering(box)).toBe('1.0.0+before')
  })
})
