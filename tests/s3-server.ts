import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll } from 'vitest'
import { freePort } from './free-port.ts'
import type { Need } from './needs.ts'
import { findProgram, sharedPrograms } from './programs.ts'
import { temporaryFolder } from './server.ts'

const program = findProgram('versitygw', [sharedPrograms], sharedPrograms)

/** An S3 server that stores files in a folder and verifies signatures. */
export const s3Program: Need = {
  path: program,
  missing: existsSync(program) ? null : `no S3 server: no versitygw at ${program}`,
}

const START_TIMEOUT_MS = 60_000
const credentials = { accessKeyId: 'test', secretAccessKey: 'testsecret' }
const running = new Set<ChildProcess>()
afterAll(async () => {
  for (const child of running) {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
})

export interface S3Server {
  endpoint: string
  /** Environment variables that a process needs to use it. */
  env: Record<string, string>
  client: S3Client
  /** Creates a bucket and returns its name. */
  newBucket(): Promise<string>
}

export async function startS3(): Promise<S3Server> {
  const port = await freePort()
  const folder = join(temporaryFolder(), 'buckets')
  mkdirSync(folder)
  const child = spawn(program, ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', folder], {
    env: { NODE_ENV: 'test', ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
    stdio: 'ignore',
  })
  running.add(child)
  child.once('close', () => running.delete(child))
  const endpoint = `http://127.0.0.1:${port}`
  for (const deadline = Date.now() + START_TIMEOUT_MS; ; await sleep(50)) {
    if (await fetch(endpoint).catch(() => null)) break
    if (Date.now() > deadline || child.exitCode !== null) throw new Error('the S3 server did not start')
  }
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials })
  let buckets = 0
  return {
    endpoint,
    client,
    env: {
      S3_ENDPOINT: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    async newBucket() {
      buckets += 1
      const Bucket = `bucket-${buckets}`
      await client.send(new CreateBucketCommand({ Bucket }))
      return Bucket
    },
  }
}
