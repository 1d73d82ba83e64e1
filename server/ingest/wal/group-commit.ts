import { AppError } from '../../errors.ts'
import type { LogFiles } from './files.ts'
import { frameBytes, writeFrame } from './frame-header.ts'
import { later, noteSegment, SEGMENT_START, sealSegment } from './segment.ts'
import { createSegment, type Segment } from './segments.ts'
import type { Frame } from './wal.ts'

export interface GroupCommitOptions {
  files: LogFiles
  folder: string
  epoch: number
  /** The number its segments begin with, where the epoch has others already. */
  firstSeq: number
  isHeld?: () => Promise<boolean>
  segmentBytes: number
  ackLevel: 'fsync' | 'write'
  syncDelayMs?: number
  report: (problem: CommitFailure) => void
  /** A new segment, which further commits go to. */
  onSegment: (segment: Segment) => void
  /** Frames that are as safe as the ack level says; told before their appenders are. */
  onCommit: (committed: { events: number; bytes: number; receivedAt: number; latestAt: number; tookMs: number }) => void
  /** After the appenders were told. */
  onAppended: () => void
}

export interface CommitFailure {
  kind: 'failed'
  error: unknown
}

/** The half of a slot's log that is written to. */
export interface GroupCommit {
  append(frame: Frame): Promise<void>
  /** Appended but not committed yet: what a kill would lose of answered nothing. */
  uncommitted(): { events: number; bytes: number }
  /** Whether appends are refused because no segment can be made to write them to. */
  failing(): boolean
  /** Whether the file of the segment is being written or sealed: it must not be closed under it. */
  writes(segment: Segment): boolean
  /** Takes no more appends; resolves when all taken are answered and the last segment is sealed. */
  close(): Promise<void>
  removeSpare(): Promise<void>
}

interface Appender {
  frame: Frame
  resolve: () => void
  reject: (error: unknown) => void
}

export const MAX_COMMIT_BYTES = 8 * 1024 * 1024
const MAX_SCRATCH_BYTES = 2 * 1024 * 1024
/** How long appends are refused after a segment could not be made, until that is tried again. */
const RETRY_MS = 1000
/** How long after a commit it is noted in its segment that it was. */
const NOTE_MS = 100
const LOG_UNAVAILABLE = 'The log cannot be written at the moment. Send the request again.'

/** Group commit without a timer: while one commit is on its way to the disk, the next gathers. */
export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  const { files, folder, epoch, segmentBytes, ackLevel, report, onSegment, onCommit, onAppended } = options
  const busy = new Set<Segment>()
  let current: Segment | null = null
  let spare: Promise<Segment> | null = null
  let nextSeq = options.firstSeq
  let appenders: Appender[] = []
  const pendingCommit = { events: 0, bytes: 0 }
  let committing = false
  let unsynced: { segment: Segment; timer: NodeJS.Timeout } | null = null
  let closed = false
  /** Why no segment could be made; appends are refused at once meanwhile instead of filling the disk with tries. */
  let failure: { error: unknown; retry: NodeJS.Timeout } | null = null
  let noteTimer: NodeJS.Timeout | null = null
  let noting: Segment | null = null
  let noted: Promise<void> = Promise.resolve()
  let spareAfter = Number.NEGATIVE_INFINITY
  let scratch = Buffer.alloc(0)

  async function append(frame: Frame): Promise<void> {
    if (closed)
      throw new AppError('unavailable', 'This server is restarting. Send the request again.', { retryAfterSeconds: 1 })
    if (frameBytes(frame.payload.length) > segmentBytes - SEGMENT_START)
      throw new AppError('too_large', 'The request is larger than a segment of the log.')
    pendingCommit.events += frame.events
    pendingCommit.bytes += frame.payload.length
    return new Promise((resolve, reject) => {
      appenders.push({ frame, resolve, reject })
      if (!committing) void commitAll()
    })
  }

  async function commitAll(): Promise<void> {
    committing = true
    // Let everything that is ready in this turn of the loop in.
    await new Promise((resolve) => setImmediate(resolve))
    while (appenders.length > 0) {
      const group = takeGroup()
      try {
        await commit(group)
        for (const { resolve } of group) resolve()
      } catch (error) {
        await refuse(group, error)
      } finally {
        for (const { frame } of group) {
          pendingCommit.events -= frame.events
          pendingCommit.bytes -= frame.payload.length
        }
      }
      onAppended()
    }
    committing = false
  }

  /** The appenders of one commit: those that fit into what is left of the segment. */
  function takeGroup(): Appender[] {
    const room = current ? segmentBytes - current.end : segmentBytes - SEGMENT_START
    let bytes = 0
    let count = 0
    for (const { frame } of appenders) {
      const size = frameBytes(frame.payload.length)
      if (count > 0 && (bytes + size > room || bytes + size > MAX_COMMIT_BYTES)) break
      bytes += size
      count++
    }
    const group = appenders.slice(0, count)
    appenders = appenders.slice(count)
    return group
  }

  /**
   * Commits come one after another, so that nearly all are written from one place: memory by the megabyte brings garbage
   * collections.
   */
  function zeros(bytes: number): Buffer {
    if (bytes > MAX_SCRATCH_BYTES) return Buffer.alloc(bytes)
    if (scratch.length < bytes) scratch = Buffer.allocUnsafeSlow(Math.min(MAX_SCRATCH_BYTES, bytes * 2))
    return scratch.subarray(0, bytes).fill(0)
  }

  async function commit(group: Appender[]): Promise<void> {
    if (failure) throw failure.error
    const bytes = group.reduce((sum, { frame }) => sum + frameBytes(frame.payload.length), 0)
    if (!current || current.end + bytes > segmentBytes) await rotate()
    const segment = current as unknown as Segment
    const buffer = zeros(bytes)
    let at = 0
    let before = segment.events
    for (const { frame } of group) {
      const { events, receivedAt } = frame
      at = writeFrame(buffer, at, frame.payload, { events, receivedAt, before, startsCommit: at === 0 }, segment.salt)
      before += events
    }
    const startedAt = performance.now()
    await segment.file.write(buffer, segment.end)
    if (ackLevel === 'fsync') await segment.file.sync()
    else unsynced ??= { segment, timer: setTimeout(() => void syncWritten(), options.syncDelayMs ?? 50) }
    const tookMs = performance.now() - startedAt
    // Whoever took the log over meanwhile may have read it before this was written.
    if (options.isHeld && !(await options.isHeld())) throw new Lost()
    const receivedAt = group[0]!.frame.receivedAt
    const events = group.reduce((sum, { frame }) => sum + frame.events, 0)
    segment.oldestAt ??= receivedAt
    const latestAt = group.reduce((latest, { frame }) => Math.max(latest, frame.arrivedAt ?? frame.receivedAt + 1), 0)
    segment.latestAt = later(segment.latestAt, latestAt)
    segment.frames += group.length
    segment.events += events
    segment.end += bytes
    onCommit({ events, bytes, receivedAt, latestAt, tookMs })
    noteSoon()
    if (segment.end - SEGMENT_START > (segmentBytes - SEGMENT_START) / 2) prepareSpare()
  }

  /** Soon after the last commit, so that those who come after a kill know what was committed, and seldom under load. */
  function noteSoon(): void {
    noteTimer ??= setTimeout(() => {
      noteTimer = null
      const segment = current
      if (!segment || closed) return
      noting = segment
      noted = noteSegment(segment.file, contentOf(segment))
        .catch(() => {})
        .finally(() => {
          noting = null
        })
    }, NOTE_MS).unref()
  }

  /** What was written and waits for its sync; at the latest before another segment is written to. */
  async function syncWritten(): Promise<void> {
    if (!unsynced) return
    const { segment, timer } = unsynced
    clearTimeout(timer)
    unsynced = null
    try {
      await segment.file.sync()
    } catch (error) {
      report({ kind: 'failed', error })
      if (current === segment) current = null
    }
  }

  async function seal(full: Segment): Promise<void> {
    try {
      await syncWritten()
      await sealSegment(full.file, contentOf(full))
    } finally {
      busy.delete(full)
    }
  }

  async function rotate(): Promise<void> {
    const full = current
    if (full) busy.add(full)
    current = null
    try {
      const segment = await takeSpare()
      onSegment(segment)
      current = segment
    } finally {
      // Not sealed, it is read at the next start.
      if (full) await seal(full).catch((error: unknown) => report({ kind: 'failed', error }))
    }
  }

  /** Ahead of its need. One that cannot be made costs nothing yet: the reason may be gone by then. */
  function prepareSpare(): void {
    if (spare || performance.now() < spareAfter) return
    const made = makeSegment()
    spare = made
    made.catch(() => {
      if (spare === made) spare = null
      spareAfter = performance.now() + RETRY_MS
    })
  }

  async function takeSpare(): Promise<Segment> {
    const made = spare
    spare = null
    return (await made?.catch(() => null)) ?? makeSegment()
  }

  function makeSegment(): Promise<Segment> {
    return createSegment(files, folder, { epoch, seq: nextSeq++ }, segmentBytes)
  }

  /** Appends are refused until a segment can be made, which is tried again and again whether anything comes or not. */
  function refuseUntilWell(error: unknown): void {
    const retry = setTimeout(async () => {
      const made = makeSegment()
      spare = made
      await made.then(
        () => {
          failure = null
        },
        (again: unknown) => {
          spare = null
          if (!closed) refuseUntilWell(again)
        },
      )
    }, RETRY_MS)
    retry.unref()
    if (codeOf(failure?.error) !== codeOf(error)) report({ kind: 'failed', error })
    failure = { error, retry }
  }

  /**
   * After a failed write or sync nobody knows what of the segment is on the disk: its waiters are refused, and it is
   * left where the last good commit ended.
   */
  async function refuse(group: Appender[], error: unknown): Promise<void> {
    const failed = error instanceof Lost ? null : current
    current = null
    if (error instanceof Lost) closed = true
    const outOfSpace = ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '')
    if (failed) {
      report({ kind: 'failed', error })
      busy.add(failed)
      await syncWritten()
      await sealSegment(failed.file, contentOf(failed))
        .then(() => failed.file.sync())
        .catch(() => {})
      busy.delete(failed)
    } else if (!(error instanceof Lost) && !failure) refuseUntilWell(error)
    const answer = new AppError('unavailable', LOG_UNAVAILABLE, { retryAfterSeconds: outOfSpace ? 5 : 1, cause: error })
    for (const { reject } of group) reject(answer)
  }

  return {
    append,
    uncommitted: () => pendingCommit,
    failing: () => failure !== null,
    writes: (segment) => segment === current || segment === noting || busy.has(segment),
    async close() {
      closed = true
      clearTimeout(failure?.retry)
      if (noteTimer) clearTimeout(noteTimer)
      await noted
      while (committing) await new Promise((resolve) => setTimeout(resolve, 1))
      await syncWritten()
      if (current) await sealSegment(current.file, contentOf(current)).catch(() => {})
      current = null
    },
    async removeSpare() {
      const made = spare ? await spare.catch(() => null) : null
      if (!made) return
      await made.file.close()
      await files.remove(made.path).catch(() => {})
    },
  }
}

/** The log is another process's by now: nothing more is written to it. */
class Lost extends Error {}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code
}

function contentOf({ end, frames, events, oldestAt, latestAt }: Segment) {
  return { end, frames, events, oldestAt, latestAt: latestAt ?? null }
}
