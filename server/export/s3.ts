import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { AppError } from '../errors.ts'
import type { Destination } from './destination.ts'

/** How to reach S3. Credentials come from where AWS tools look: environment, profile, role of the machine. */
export interface S3Settings {
  /** null for AWS. */
  endpoint: string | null
  region: string
  /** BUCKET as part of the path instead of the host name, as most servers other than AWS want it. */
  pathStyle: boolean
}

/** An upload has up to 10,000 parts, so that a file may have 156 GiB; two parts are in memory at once. */
const PART_BYTES = 16 * 1024 * 1024
const PARTS_AT_ONCE = 2

/** A server that says nothing for as long is not waited for; it is asked again, five times in all. */
const SILENCE_MS = 60_000
/** To give up the parts of an upload that was told to stop; what is left of it then goes with the next tidy. */
const ABANDON_MS = 2000

export function createS3Destination({
  endpoint,
  region,
  pathStyle,
  bucket,
  prefix,
  silenceMs = SILENCE_MS,
}: S3Settings & { bucket: string; prefix: string; silenceMs?: number }): Destination {
  const client = new S3Client({
    region,
    forcePathStyle: pathStyle,
    ...(endpoint !== null && { endpoint }),
    maxAttempts: 5,
    // Of silence, not of the whole request: a large part over a slow line takes its time.
    requestHandler: { connectionTimeout: 5000, socketTimeout: silenceMs },
    // Many servers other than AWS do not know the newer checksums; every request is signed with its content's.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const place = prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`
  const at = (key: string) => ({ Bucket: bucket, Key: prefix === '' ? key : `${prefix}/${key}` })

  async function reaching<T>(key: string, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof AppError) throw error
      throw new AppError('unavailable', `${place}/${key}: ${reasonOf(error)}`, { cause: error })
    }
  }

  async function* reading(key: string, body: Readable): AsyncGenerator<Uint8Array> {
    try {
      yield* body
    } catch (error) {
      throw new AppError('unavailable', `${place}/${key}: it ended in the middle: ${reasonOf(error)}`, { cause: error })
    }
  }

  /** Gives up the parts of whatever was begun under this prefix. */
  async function abandon(Prefix: string, abortSignal?: AbortSignal): Promise<void> {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix }), {
      abortSignal,
    })
    for (const { Key, UploadId } of Uploads)
      await orNull(client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }), { abortSignal }))
  }

  return {
    place,

    read: (key, signal) =>
      reaching(key, signal, async () => {
        const found = await orNull(client.send(new GetObjectCommand(at(key)), { abortSignal: signal }))
        const body = found?.Body as Readable | undefined
        return body ? reading(key, body) : null
      }),

    bytes: (key, signal) =>
      reaching(key, signal, async () => {
        const found = await orNull(client.send(new HeadObjectCommand(at(key)), { abortSignal: signal }))
        return found?.ContentLength ?? null
      }),

    write: (key, content, signal) =>
      reaching(key, signal, async () => {
        // One part becomes a plain put; more are aborted when anything goes wrong, so that they are never an object.
        const upload = new Upload({
          client,
          params: { ...at(key), Body: Readable.from(content, { objectMode: false }) },
          partSize: PART_BYTES,
          queueSize: PARTS_AT_ONCE,
        })
        const abort = () => void upload.abort()
        signal.throwIfAborted()
        signal.addEventListener('abort', abort)
        try {
          await upload.done()
        } catch (error) {
          // An upload that is told to stop does not wait for its parts to be given up.
          if (signal.aborted)
            await Promise.race([abandon(at(key).Key), sleep(ABANDON_MS, undefined, { ref: false })]).catch(() => {})
          signal.throwIfAborted()
          throw error
        } finally {
          signal.removeEventListener('abort', abort)
        }
      }),

    remove: (key, signal) =>
      reaching(key, signal, async () => {
        await client.send(new DeleteObjectCommand(at(key)), { abortSignal: signal })
      }),

    tidy: (prefix, signal) => reaching(prefix, signal, () => abandon(at(`${prefix}/`).Key, signal)),

    close: () => client.destroy(),
  }
}

/** One line. An answer without a body, as to HEAD, is told by its status. */
function reasonOf(error: unknown): string {
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined
  return `${name}: ${message.split('\n')[0]}${status === undefined ? '' : ` (status ${status})`}`
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404 && error.name !== 'NoSuchBucket')
      return null
    throw error
  }
}
