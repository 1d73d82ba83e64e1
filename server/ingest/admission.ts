import { AppError } from '../errors.ts'
import type { Wal } from './wal/wal.ts'

export interface AdmissionLimits {
  /** Events that may be in memory only: not synced yet, or with ack level memory not stored yet. */
  bufferEvents: number
  /** The same in bytes. */
  memoryBytes: number
  /** Bytes that may wait in the log. */
  maxBytes: number
  /** How long the oldest event may have waited. */
  maxAgeMs: number
}

export interface Admission {
  /** Room for the whole request or none of it. Throws AppError rate_limited, or unavailable when it is not the load's fault. */
  admit(events: number, bytes: number): void
  /** From now on every request is refused with 503: this process is leaving. */
  drain(): void
  readonly draining: boolean
  /** False while requests are refused. */
  readonly open: boolean
  close(): void
}

export interface AdmissionParts {
  wal: Wal
  limits: AdmissionLimits
  now: () => number
  /** Bytes that can still be written to the log's disk; absent for a log in memory. */
  freeBytes?: () => Promise<number>
  checkEveryMs?: number
}

/** The log never takes the last fifth of what its disk has for it: databases and systems break on full disks. */
const DISK_SHARE = 0.8

/** Decides for a whole request, before anything of it is written, whether memory, log and disk can take it. */
export async function createAdmission({
  wal,
  limits,
  now,
  freeBytes,
  checkEveryMs = 1000,
}: AdmissionParts): Promise<Admission> {
  let draining = false
  let diskBytes = Number.POSITIVE_INFINITY

  async function checkDisk(): Promise<void> {
    if (!freeBytes) return
    diskBytes = DISK_SHARE * ((await freeBytes()) + wal.waiting().bytes)
  }
  await checkDisk()
  const timer = setInterval(() => void checkDisk().catch(() => {}), checkEveryMs)
  timer.unref()

  function refusal(events: number, bytes: number): AppError | null {
    if (draining)
      return new AppError('unavailable', 'This server is restarting. Send the request again.', { retryAfterSeconds: 1 })
    if (wal.failing())
      return new AppError('unavailable', 'The log cannot be written at the moment. Send the request again.', {
        retryAfterSeconds: 1,
      })
    const uncommitted = wal.uncommitted()
    if (uncommitted + events > limits.bufferEvents)
      return busy(`${uncommitted} events are on their way to the disk and ${limits.bufferEvents} may be.`)
    const unsafeBytes = wal.uncommittedBytes()
    if (unsafeBytes + bytes > limits.memoryBytes)
      return busy(`${unsafeBytes} bytes are on their way to the disk and ${limits.memoryBytes} may be.`)
    const { bytes: waiting, oldestAt } = wal.waiting()
    if (waiting + bytes > diskBytes)
      return new AppError('unavailable', 'The disk of this server is nearly full. Send the request again later.', {
        retryAfterSeconds: 5,
      })
    if (waiting + bytes > limits.maxBytes) return busy(`${waiting} bytes wait to be stored and ${limits.maxBytes} may.`)
    if (oldestAt !== null && now() - oldestAt > limits.maxAgeMs)
      return busy(`The oldest event has waited ${Math.round((now() - oldestAt) / 3_600_000)} hours to be stored.`)
    return null
  }

  return {
    get draining() {
      return draining
    },
    get open() {
      return refusal(1, 1) === null
    },
    drain: () => {
      draining = true
    },
    admit(events, bytes) {
      const error = refusal(events, bytes)
      if (error) throw error
    },
    close: () => clearInterval(timer),
  }
}

function busy(why: string): AppError {
  // Spread out, or everybody refused now would come back in the same second.
  return new AppError('rate_limited', `${why} Send the request again later.`, {
    retryAfterSeconds: 1 + Math.floor(Math.random() * 5),
  })
}
