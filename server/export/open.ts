import { basename, dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError } from '../errors.ts'
import type { Destination } from './destination.ts'
import { createFolderDestination } from './folder.ts'
import type { S3Settings } from './s3.ts'

/** s3://BUCKET/PREFIX, file:PATH or a path. AppError invalid_input for anything else. */
export async function openDestination(url: string, s3: S3Settings): Promise<Destination> {
  const bucket = /^s3:\/\/([^/?#]+)(?:\/([^?#]*))?$/.exec(url)
  if (bucket) {
    // Loaded only where it is used: it takes longer than the rest of the server.
    const { createS3Destination } = await import('./s3.ts')
    return createS3Destination({ ...s3, bucket: bucket[1]!, prefix: (bucket[2] ?? '').replace(/\/+$/, '') })
  }
  if (/^[a-z][a-z0-9+.-]+:/i.test(url) && !url.startsWith('file:'))
    throw new AppError('invalid_input', `${url} is no place for files: s3://BUCKET/PREFIX, file:/PATH or a path.`)
  return createFolderDestination(pathOf(url))
}

/** A file's place and its name there: both for openDestination. */
export function splitPlace(url: string): [folder: string, key: string] {
  const parts = /^(s3:\/\/.+)\/([^/]+)$/.exec(url)
  if (parts) return [parts[1]!, parts[2]!]
  if (url.startsWith('s3:')) throw new AppError('invalid_input', `${url} names no file: s3://BUCKET/KEY.`)
  return [dirname(pathOf(url)), basename(pathOf(url))]
}

/** The path that a file: URL or a plain path names. */
function pathOf(url: string): string {
  if (url.startsWith('file://')) return fileURLToPath(url)
  return resolve(url.replace(/^file:/, ''))
}
