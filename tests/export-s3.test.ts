import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Destination, readText } from '../server/export/destination.ts'
import { openDestination } from '../server/export/open.ts'
import { createS3Destination } from '../server/export/s3.ts'
import { describeWith } from './needs.ts'
import { type S3Server, s3Program, startS3 } from './s3-server.ts'

const MIB = 1024 * 1024
const { signal } = new AbortController()

describeWith(s3Program, 'an S3 bucket as a place for files', () => {
  let s3: S3Server
  let bucket: string
  let place: Destination

  beforeAll(async () => {
    s3 = await startS3()
    // The destination finds them where AWS tools do.
    Object.assign(process.env, s3.env)
    bucket = await s3.newBucket()
    place = await open(`s3://${bucket}/shop/exports`)
  })
  afterAll(() => {
    place.close()
    for (const name of Object.keys(s3.env)) delete process.env[name]
  })

  const open = (url: string, pathStyle = true) =>
    openDestination(url, { endpoint: s3.endpoint, region: 'us-east-1', pathStyle })
  async function* parts(...all: Uint8Array[]) {
    yield* all
  }
  const keys = async () =>
    ((await s3.client.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents ?? []).map(({ Key }) => Key)
  const uploads = async () =>
    ((await s3.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? []).map(({ Key }) => Key)
  const digest = async (content: AsyncIterable<Uint8Array>) => {
    const hash = createHash('sha256')
    for await (const part of content) hash.update(part)
    return hash.digest('hex')
  }

  it('gives back what was written, replaced and removed', async () => {
    expect(place.place).toBe(`s3://${bucket}/shop/exports`)
    expect([await place.read('a/b.json'), await place.bytes('a/b.json')]).toEqual([null, null])
    await place.write('a/b.json', parts(Buffer.from('{"one"'), Buffer.from(':1}')), signal)
    expect(await readText(place, 'a/b.json')).toBe('{"one":1}')
    expect(await keys()).toEqual(['shop/exports/a/b.json'])
    await place.write('a/b.json', parts(Buffer.from('2')), signal)
    expect([await readText(place, 'a/b.json'), await place.bytes('a/b.json')]).toEqual(['2', 1])
    await place.write('a/empty', parts(), signal)
    expect(await place.bytes('a/empty')).toBe(0)
    for (const key of ['a/b.json', 'a/empty', 'never/there']) await place.remove(key)
    expect(await keys()).toEqual([])
  })

  it('takes files of many parts whole', async () => {
    const blocks = Array.from({ length: 41 }, () => randomBytes(MIB))
    await place.write('large', parts(...blocks), signal)
    expect(await place.bytes('large')).toBe(41 * MIB)
    expect(await digest((await place.read('large'))!)).toBe(await digest(parts(...blocks)))
    expect(await uploads()).toEqual([])
    await place.remove('large')
  })

  it.each([
    ['fails', (fail: () => never) => fail()],
    ['is told to stop', (_: () => never, stop: () => void) => stop()],
  ])('has nothing of a file of many parts that %s in the middle, and keeps what was there', async (_, end) => {
    await place.write('kept', parts(Buffer.from('before')), signal)
    const stop = new AbortController()
    async function* broken() {
      for (let block = 0; block < 60; block++) {
        if (block === 50) {
          expect(await uploads()).toEqual(['shop/exports/kept'])
          end(
            () => {
              throw new Error('the store went away')
            },
            () => stop.abort(new Error('stopped')),
          )
          await sleep(50)
        }
        yield randomBytes(MIB)
      }
    }
    await expect(place.write('kept', broken(), stop.signal)).rejects.toThrow(/went away|stopped/)
    expect(await readText(place, 'kept')).toBe('before')
    expect(await uploads()).toEqual([])
    await place.remove('kept')
  })

  it('is rid of parts that a killed process left, and of no others', async () => {
    const begin = async (Key: string) => {
      const { UploadId } = await s3.client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }))
      await s3.client.send(
        new UploadPartCommand({ Bucket: bucket, Key, UploadId, PartNumber: 1, Body: randomBytes(5 * MIB) }),
      )
    }
    await begin('shop/exports/day=1/events')
    await begin('shop/exports/day=10/events')
    await place.tidy('day=1')
    expect(await uploads()).toEqual(['shop/exports/day=10/events'])
    await place.tidy('day=10')
    expect(await uploads()).toEqual([])
  })

  describe('that cannot be used says so in one line', () => {
    it.each([
      ['has no such name', () => open('s3://no-such-bucket/x')],
      [
        'nobody answers for',
        () => openDestination('s3://b', { endpoint: 'http://127.0.0.1:9', region: 'r', pathStyle: true }),
      ],
    ])('when it %s', async (_, opened) => {
      const wrong = await opened()
      const calls = [() => wrong.read('k'), () => wrong.write('k', parts(Buffer.from('x')), signal)]
      for (const call of calls) {
        const error = await call().then(
          () => null,
          (caught: Error) => caught,
        )
        expect(error).toMatchObject({ name: 'AppError', code: 'unavailable' })
        expect(error?.message).toContain(wrong.place)
        expect(error?.message).not.toContain('\n')
      }
      wrong.close()
    })
  })
})

describe('an S3 server that is not well', () => {
  let server: Server
  let place: Destination
  let stop: AbortController
  /** What it does with a request after it has read it. */
  let answer: (response: ServerResponse) => void

  beforeAll(async () => {
    server = createServer((request, response) => request.resume().once('end', () => answer(response)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'testsecret' })
    const { port } = server.address() as AddressInfo
    const endpoint = `http://127.0.0.1:${port}`
    place = createS3Destination({ endpoint, region: 'r', pathStyle: true, bucket: 'b', prefix: '', silenceMs: 100 })
  })
  beforeEach(() => {
    stop = new AbortController()
  })
  afterAll(() => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) delete process.env[name]
    place.close()
    server.closeAllConnections()
    server.close()
  })

  async function* some() {
    yield randomBytes(1000)
  }
  async function* much() {
    for (let block = 0; block < 20; block++) yield randomBytes(MIB)
  }
  const calls: [string, () => Promise<unknown>][] = [
    ['read', async () => readText(place, 'k', stop.signal)],
    ['bytes', async () => place.bytes('k', stop.signal)],
    ['write', async () => place.write('k', some(), stop.signal)],
    ['write in parts', async () => place.write('k', much(), stop.signal)],
    ['remove', async () => place.remove('k', stop.signal)],
    ['tidy', async () => place.tidy('k', stop.signal)],
  ]
  const failureOf = (call: () => Promise<unknown>) =>
    call().then(
      () => null,
      (error: Error) => error,
    )

  it.each(calls)('is waited for no longer than its silence lasts: %s', async (_, call) => {
    answer = () => {}
    const failure = await failureOf(call)
    expect(failure).toMatchObject({ name: 'AppError', code: 'unavailable' })
    expect(failure?.message).toMatch(/^s3:\/\/b\/k\/?: TimeoutError: /)
  })

  it.each(calls)('holds up nobody who is told to stop: %s', async (_, call) => {
    answer = () => stop.abort(new Error('stopped'))
    // Else it would be its silence that ends it, in other words.
    expect((await failureOf(call))?.message).toBe('stopped')
  })

  it('is not believed when it breaks off in the middle of a file', async () => {
    for (const breakOff of [(response: ServerResponse) => response.destroy(), () => {}]) {
      answer = (response) => {
        response.writeHead(200, { 'content-length': 1000 })
        response.write('{', () => breakOff(response))
      }
      const failure = await failureOf(() => readText(place, 'k'))
      expect(failure).toMatchObject({ name: 'AppError', code: 'unavailable' })
      expect(failure?.message).toContain('s3://b/k: it ended in the middle')
    }
  })

  it.each(calls)('says which status it answers with: %s', async (_, call) => {
    answer = (response) => response.writeHead(403).end()
    const failure = await failureOf(call)
    expect(failure).toMatchObject({ name: 'AppError', code: 'unavailable' })
    expect(failure?.message).toContain('403')
  })
})
