import type { IncomingMessage } from 'node:http'
import { gunzip } from 'node:zlib'
import { AppError } from '../errors.ts'

export interface BodyLimits {
  /** Of the body as sent and as inflated. */
  maxBytes: number
  /** Longest time from the headers to the last byte. */
  timeoutMs: number
}

/** How much of a refused body is read away so that the connection stays usable; beyond it the connection ends. */
const MAX_DRAINED_BYTES = 64 * 1024 * 1024

/**
 * Reads a request body into memory, never more than the limit of it, and inflates gzip known by its first bytes
 * (clients mislabel it). Throws AppError too_large, timeout or invalid_input; the rest of a refused body is read away.
 */
export async function readBody(req: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const declared = Number(req.headers['content-length'])
  if (declared > limits.maxBytes) {
    drain(req)
    throw tooLarge(limits.maxBytes)
  }
  const body = await readBytes(req, limits)
  return body[0] === 0x1f && body[1] === 0x8b ? inflate(body, limits.maxBytes) : body
}

function readBytes(req: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let size = 0
    const end = (error: AppError | null) => {
      clearTimeout(timer)
      req.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone)
      if (error) {
        drain(req)
        reject(error)
      } else resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, size))
    }
    const onData = (part: Buffer) => {
      size += part.length
      if (size > limits.maxBytes) end(tooLarge(limits.maxBytes))
      else parts.push(part)
    }
    const onEnd = () => end(null)
    const onGone = () => end(new AppError('invalid_input', 'The connection closed before the body was complete.'))
    const timer = setTimeout(
      () => end(new AppError('timeout', `The body did not arrive within ${limits.timeoutMs} ms. Send it again.`)),
      limits.timeoutMs,
    )
    req.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone)
  })
}

function inflate(body: Buffer, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gunzip(body, { maxOutputLength: maxBytes }, (error, inflated) => {
      if (!error) resolve(inflated)
      else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') reject(tooLarge(maxBytes))
      else
        reject(
          new AppError(
            'invalid_input',
            'The body starts like gzip but cannot be inflated. Send it plain or as valid gzip.',
          ),
        )
    })
  })
}

function drain(req: IncomingMessage): void {
  let size = 0
  req.on('error', () => {})
  req.on('data', (part: Buffer) => {
    size += part.length
    if (size > MAX_DRAINED_BYTES) req.destroy()
  })
  req.resume()
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('too_large', `The body is larger than ${maxBytes} bytes. Send fewer events at once.`)
}
