import { Readable } from 'node:stream'
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

export function createS3Destination({
  endpoint,
  region,
  pathStyle,
  bucket,
  prefix,
}: S3Settings & { bucket: string; prefix: string }): Destination {
  const client = new S3Client({
    region,
    forcePathStyle: pathStyle,
    ...(endpoint !== null && { endpoint }),
    maxAttempts: 5,
    requestHandler: { connectionTimeout: 5000, requestTimeout: 60_000 },
    // Many servers other than AWS do not know the newer checksums; every request is signed with its content's.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const place = prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`
  const at = (key: string) => ({ Bucket: bucket, Key: prefix === '' ? key : `${prefix}/${key}` })

  async function reaching<T>(key: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      if (error instanceof AppError) throw error
      const cause = error instanceof Error ? error : new Error(String(error))
      throw new AppError('unavailable', `${place}/${key}: ${cause.name}: ${cause.message.split('\n')[0]}`, { cause })
    }
  }

  /** Gives up the parts of whatever was begun under this prefix. */
  async function abandon(Prefix: string): Promise<void> {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix }))
    for (const { Key, UploadId } of Uploads)
      await orNull(client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId })))
  }

  return {
    place,

    read: (key) =>
      reaching(key, async () => {
        const found = await orNull(client.send(new GetObjectCommand(at(key))))
        return (found?.Body as Readable | undefined) ?? null
      }),

    bytes: (key) =>
      reaching(key, async () => (await orNull(client.send(new HeadObjectCommand(at(key)))))?.ContentLength ?? null),

    write: (key, content, signal) =>
      reaching(key, async () => {
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
          if (signal.aborted) await abandon(at(key).Key)
          signal.throwIfAborted()
          throw error
        } finally {
          signal.removeEventListener('abort', abort)
        }
      }),

    remove: (key) =>
      reaching(key, async () => {
        await client.send(new DeleteObjectCommand(at(key)))
      }),

    tidy: (prefix) => reaching(prefix, () => abandon(at(`${prefix}/`).Key)),

    close: () => client.destroy(),
  }
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
