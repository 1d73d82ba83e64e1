import { AppError } from '../../errors.ts'
import { type Checkpoint, type OpenBatch, openCheckpoint, type Place } from './checkpoint.ts'
import type { LogFiles } from './files.ts'
import { frameBytes, writeFrame } from './frame-header.ts'
import { SEGMENT_START, sealSegment } from './segment.ts'
import { createSegment, isBefore, measure, openSegments, readSegment, type Segment } from './segments.ts'
import type { Frame, Waiting, WalBatch } from './wal.ts'

export interface SlotLogOptions {
  files: LogFiles
  /** The folder of one slot, held by this process alone. */
  folder: string
  /** Larger than that of every earlier owner of the folder. */
  epoch: number
  segmentBytes: number
  /** fsync: an append resolves when it is synced. write: when it is written; synced within syncDelayMs. */
  ackLevel: 'fsync' | 'write'
  syncDelayMs?: number
  report: (problem: LogProblem) => void
}

/** What an operator should know: damage is counted and kept aside, never a reason to stop. */
export type LogProblem =
  /** Frames whose checksums do not hold; their segment is kept as *.damaged once the others are stored. */
  | { kind: 'damaged'; path: string; frames: number }
  /** Bytes of a commit that was cut by a crash before anybody was told of it. */
  | { kind: 'torn'; path: string }
  | { kind: 'failed'; error: unknown; fatal: boolean }

interface Appender {
  frame: Frame
  resolve: () => void
  reject: (error: unknown) => void
}

const MAX_COMMIT_BYTES = 8 * 1024 * 1024
/** How long appends are refused after a segment could not be made. */
const RETRY_MS = 1000
const LOG_UNAVAILABLE = 'The log cannot be written at the moment. Send the request again.'

/** The log of one slot: appends go to the newest segment, batches come from the oldest. */
export interface SlotLog {
  append(frame: Frame): Promise<void>
  next(bounds: { events: number; bytes: number }): Promise<WalBatch | null>
  ack(batch: WalBatch): Promise<void>
  waiting(): Waiting
  pending(): Waiting
  /** Appended but not committed yet: what a kill would lose of answered nothing. */
  uncommitted(): { events: number; bytes: number }
  onAppend(listener: () => void): void
  /** Frames whose checksums did not hold, and the events that were counted in them. */
  damaged(): { frames: number; events: number }
  close(): Promise<void>
}

export async function openSlotLog(options: SlotLogOptions): Promise<SlotLog> {
  const { files, folder, epoch, segmentBytes, ackLevel, report } = options
  const opened = await openSegments(files, folder)
  const { unreadable, torn } = opened
  /** Replaced, never changed in place but for appends: whoever walks over it while segments go away keeps its own. */
  let segments: readonly Segment[] = opened.segments
  /** Segments whose files are being written or sealed: they must not be closed under it. */
  const busy = new Set<Segment>()
  for (const path of torn) report({ kind: 'torn', path })
  for (const path of unreadable) report({ kind: 'damaged', path, frames: 1 })
  const checkpoint: Checkpoint = await openCheckpoint(files, folder)

  const listeners: (() => void)[] = []
  const replays: OpenBatch[] = [...(checkpoint.state?.open ?? [])]
  const open = new Map<string, OpenBatch>(replays.map((batch) => [batch.id, batch]))
  let damagedFrames = unreadable.length
  let lostEvents = 0
  let cursor: Place = checkpoint.state?.cursor ?? { epoch: 0, seq: 0, offset: SEGMENT_START }
  const ahead = { events: 0, bytes: 0, oldestAt: null as number | null }

  let current: Segment | null = null
  let spare: Promise<Segment> | null = null
  let nextSeq = 0
  let appenders: Appender[] = []
  const pendingCommit = { events: 0, bytes: 0 }
  let committing = false
  let unsynced: NodeJS.Timeout | null = null
  let closed = false
  /** After a segment could not be made, appends are refused at once for a while instead of filling the disk with tries. */
  let closedUntil = 0
  let lastFailure: unknown = null

  /** What lies between the cursor and the end, for a start after a crash or an outage. */
  async function countAhead(): Promise<void> {
    for (const segment of segments) {
      const start = { epoch: segment.epoch, seq: segment.seq, offset: SEGMENT_START }
      const inside = cursor.epoch === segment.epoch && cursor.seq === segment.seq
      if (!inside && isBefore(start, cursor)) continue
      const content = inside ? await measure(segment, cursor.offset, segment.end) : segment
      ahead.events += content.events
      ahead.bytes += segment.end - (inside ? cursor.offset : SEGMENT_START)
      ahead.oldestAt ??= content.oldestAt
    }
  }

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

  /** Group commit without a timer: while one commit is on its way to the disk, the next gathers. */
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
      for (const listener of listeners) listener()
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

  async function commit(group: Appender[]): Promise<void> {
    if (Date.now() < closedUntil) throw lastFailure
    const bytes = group.reduce((sum, { frame }) => sum + frameBytes(frame.payload.length), 0)
    if (!current || current.end + bytes > segmentBytes) await rotate()
    const segment = current as unknown as Segment
    const buffer = Buffer.alloc(bytes)
    let at = 0
    for (const { frame } of group) at = writeFrame(buffer, at, frame.payload, frame, segment.salt)
    await segment.file.write(buffer, segment.end)
    if (ackLevel === 'fsync') await segment.file.sync()
    else unsynced ??= setTimeout(() => void syncLater(segment), options.syncDelayMs ?? 50)
    const receivedAt = group[0]!.frame.receivedAt
    if (ahead.events === 0) ahead.oldestAt = receivedAt
    for (const { frame } of group) ahead.events += frame.events
    ahead.bytes += bytes
    segment.oldestAt ??= receivedAt
    segment.frames += group.length
    segment.events += group.reduce((sum, { frame }) => sum + frame.events, 0)
    segment.end += bytes
    if (segment.end - SEGMENT_START > (segmentBytes - SEGMENT_START) / 2) prepareSpare()
  }

  async function syncLater(segment: Segment): Promise<void> {
    unsynced = null
    try {
      await segment.file.sync()
    } catch (error) {
      report({ kind: 'failed', error, fatal: false })
      if (current === segment) current = null
    }
  }

  async function seal(full: Segment): Promise<void> {
    try {
      if (unsynced) {
        clearTimeout(unsynced)
        await syncLater(full)
      }
      await sealSegment(full.file, contentOf(full))
    } finally {
      busy.delete(full)
    }
  }

  async function rotate(): Promise<void> {
    const full = current
    if (full) busy.add(full)
    current = null
    prepareSpare()
    const made = spare!
    spare = null
    const segment = await made.catch((error: unknown) => {
      if (full) busy.delete(full)
      throw error
    })
    segments = [...segments, segment]
    current = segment
    if (full) await seal(full)
  }

  function prepareSpare(): void {
    if (spare) return
    spare = createSegment(files, folder, { epoch, seq: nextSeq++ }, segmentBytes)
    // Whoever rotates next meets the failure.
    spare.catch(() => {})
  }

  /**
   * After a failed write or sync nobody knows what of the segment is on the disk: its waiters are refused, and it is
   * left where the last good commit ended.
   */
  async function refuse(group: Appender[], error: unknown): Promise<void> {
    const failed = current
    current = null
    const outOfSpace = ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')
    if (failed) {
      report({ kind: 'failed', error, fatal: false })
      busy.add(failed)
      await sealSegment(failed.file, contentOf(failed))
        .then(() => failed.file.sync())
        .catch(() => {})
      busy.delete(failed)
    } else if (error !== lastFailure) {
      closedUntil = Date.now() + RETRY_MS
      lastFailure = error
      // Not even a new segment: space may come back, a broken disk will not.
      report({ kind: 'failed', error, fatal: !outOfSpace })
    }
    const answer = new AppError('unavailable', LOG_UNAVAILABLE, { retryAfterSeconds: outOfSpace ? 5 : 1, cause: error })
    for (const { reject } of group) reject(answer)
  }

  let taking: Promise<unknown> = Promise.resolve()

  /** One at a time: two batches must not be cut from the same place. */
  function next(bounds: { events: number; bytes: number }): Promise<WalBatch | null> {
    const taken = taking.then(() => takeBatch(bounds))
    taking = taken.catch(() => {})
    return taken
  }

  async function takeBatch(bounds: { events: number; bytes: number }): Promise<WalBatch | null> {
    const replay = replays[0]
    if (replay) {
      const { frames } = await readRange(replay.from, replay.to, {
        events: Number.MAX_SAFE_INTEGER,
        bytes: Number.MAX_SAFE_INTEGER,
      })
      replays.shift()
      const events = frames.reduce((sum, frame) => sum + frame.events, 0)
      lostEvents += replay.events - events
      return { id: replay.id, frames, events }
    }
    const first = segments.find(
      (segment) => !isBefore({ ...segment, offset: segment.end }, cursor) && segment.end > startIn(segment),
    )
    if (!first) return null
    const from = { epoch: first.epoch, seq: first.seq, offset: startIn(first) }
    const { frames, to, events } = await readRange(from, null, bounds)
    if (frames.length === 0) {
      // Only damage up to here: step over it.
      cursor = to
      ahead.bytes = bytesAhead()
      settleAtEnd()
      return isBefore(from, to) ? takeBatch(bounds) : null
    }
    const bytes = frames.reduce((sum, frame) => sum + frame.payload.length, 0)
    const batch: OpenBatch = {
      // Both ends: if a checkpoint is lost the same place may begin another batch, which the store must not take for this.
      id: `${first.id}-${from.offset}-${to.epoch}.${to.seq}.${to.offset}`,
      from,
      to,
      events,
      bytes,
      oldestAt: frames[0]!.receivedAt,
    }
    const before = cursor
    cursor = to
    open.set(batch.id, batch)
    try {
      // Written down before it is handed out: after a crash the same frames come again under the same id.
      await saveCheckpoint()
    } catch (error) {
      cursor = before
      open.delete(batch.id)
      throw error
    }
    ahead.bytes = bytesAhead()
    ahead.events = Math.max(0, ahead.events - events)
    settleAtEnd()
    if (ahead.events === 0) ahead.oldestAt = null
    // A commit that ends meanwhile sets it itself where nothing was ahead.
    else ahead.oldestAt = (await oldestAhead()) ?? ahead.oldestAt
    return { id: batch.id, frames, events }
  }

  /** At the end of the log nothing waits any more: what was still counted was in damaged frames. */
  function settleAtEnd(): void {
    if (ahead.bytes > 0) return
    lostEvents += ahead.events
    ahead.events = 0
    ahead.oldestAt = null
  }

  function startIn(segment: Segment): number {
    return segment.epoch === cursor.epoch && segment.seq === cursor.seq ? cursor.offset : SEGMENT_START
  }

  function bytesAhead(): number {
    let bytes = 0
    for (const segment of segments) {
      if (isBefore({ ...segment, offset: segment.end }, cursor)) continue
      bytes += segment.end - startIn(segment)
    }
    return bytes
  }

  async function oldestAhead(): Promise<number | null> {
    if (ahead.events === 0) return null
    for (const segment of segments) {
      const start = startIn(segment)
      if (isBefore({ ...segment, offset: segment.end }, cursor) || start >= segment.end) continue
      const { frames } = await readSegment(segment, start, segment.end, { events: 1, bytes: 1, atLeastOne: true })
      if (frames[0]) return frames[0].receivedAt
    }
    return null
  }

  /** Frames from one place on, over segments, up to `to` or the bounds; at least one if there is any. */
  async function readRange(from: Place, to: Place | null, bounds: { events: number; bytes: number }) {
    const frames: Frame[] = []
    let { events, bytes } = bounds
    let at = from
    for (const segment of segments) {
      if (isBefore({ ...segment, offset: segment.end }, from)) continue
      const isFirst = segment.epoch === from.epoch && segment.seq === from.seq
      const isLast = to !== null && segment.epoch === to.epoch && segment.seq === to.seq
      const end = isLast ? to.offset : segment.end
      at = { epoch: segment.epoch, seq: segment.seq, offset: isFirst ? from.offset : SEGMENT_START }
      while (at.offset < end) {
        const read = await readSegment(segment, at.offset, end, {
          events,
          bytes: Math.min(bytes, MAX_COMMIT_BYTES),
          atLeastOne: frames.length === 0,
        })
        let { damaged, next } = read
        if (read.frames.length === 0 && next === at.offset && damaged === 0) {
          if (await readsOn(segment, at.offset, end)) return { frames, events: bounds.events - events, to: at }
          // Committed bytes that are no frame any more, up to the end.
          damaged = 1
          next = end
        }
        countDamage(segment, damaged)
        for (const frame of read.frames) {
          frames.push(frame)
          events -= frame.events
          bytes -= frame.payload.length
        }
        at.offset = next
        if (frames.length > 0 && (events <= 0 || bytes <= 0)) return { frames, events: bounds.events - events, to: at }
      }
      if (isLast) break
    }
    return { frames, events: bounds.events - events, to: at }
  }

  /** Whether a good frame begins here, so that only the bounds stopped the reading. */
  async function readsOn(segment: Segment, from: number, to: number): Promise<boolean> {
    const { frames } = await readSegment(segment, from, to, { events: 1, bytes: 1, atLeastOne: true })
    return frames.length > 0
  }

  function countDamage(segment: Segment, frames: number): void {
    if (frames === 0) return
    segment.damaged += frames
    damagedFrames += frames
    report({ kind: 'damaged', path: segment.path, frames })
  }

  let saving: Promise<void> = Promise.resolve()

  function saveCheckpoint(): Promise<void> {
    const saved = saving.then(() => checkpoint.save({ cursor, open: [...open.values()] }))
    saving = saved.catch(() => {})
    return saved
  }

  async function ack(batch: WalBatch): Promise<void> {
    if (!open.delete(batch.id)) return
    const stored = segments.filter(isStored)
    if (stored.length === 0) return
    // Only a checkpoint that survives a power cut allows the frames to go, and only those that it knows to be stored.
    await saveCheckpoint()
    await forget(stored)
  }

  function isStored(segment: Segment): boolean {
    if (segment === current || busy.has(segment)) return false
    if (segment.frames === 0) return true
    const end = { epoch: segment.epoch, seq: segment.seq, offset: segment.end }
    if (isBefore(cursor, end)) return false
    return ![...open.values()].some((batch) => isBefore(batch.from, end) && !isBefore(batch.to, { ...end, offset: 0 }))
  }

  /** Removes segments that the last saved checkpoint no longer needs; damaged ones are kept aside. */
  async function forget(stored: readonly Segment[]): Promise<void> {
    // All at once: another ack may come while these are closed, and must not close them again.
    const going = stored.filter((segment) => segments.includes(segment))
    segments = segments.filter((segment) => !going.includes(segment))
    for (const segment of going) {
      await segment.file.close()
      if (segment.damaged > 0) await files.rename(segment.path, `${segment.path}.damaged`)
      else await files.remove(segment.path)
    }
    if (going.length > 0) await files.syncFolder(folder)
  }

  function waiting(): Waiting {
    let { events, bytes, oldestAt } = ahead
    for (const batch of open.values()) {
      events += batch.events
      bytes += batch.bytes
      if (oldestAt === null || batch.oldestAt < oldestAt) oldestAt = batch.oldestAt
    }
    return { events, bytes, oldestAt }
  }

  await countAhead()
  await forget(segments.filter(isStored))

  return {
    append,
    next,
    ack,
    waiting,
    pending() {
      const replayed = replays.reduce(
        (sum, batch) => ({ events: sum.events + batch.events, bytes: sum.bytes + batch.bytes }),
        { events: 0, bytes: 0 },
      )
      return {
        events: ahead.events + replayed.events,
        bytes: ahead.bytes + replayed.bytes,
        oldestAt: replays[0]?.oldestAt ?? ahead.oldestAt,
      }
    },
    uncommitted: () => pendingCommit,
    onAppend: (listener) => void listeners.push(listener),
    damaged: () => ({ frames: damagedFrames, events: lostEvents }),
    async close() {
      closed = true
      while (committing) await new Promise((resolve) => setTimeout(resolve, 1))
      await taking
      if (unsynced) {
        clearTimeout(unsynced)
        if (current) await syncLater(current)
      }
      if (current) await sealSegment(current.file, contentOf(current)).catch(() => {})
      current = null
      await saving
      const stored = segments.filter(isStored)
      await saveCheckpoint()
        .then(() => forget(stored))
        .catch(() => {})
      const made = spare ? await spare.catch(() => null) : null
      if (made) {
        await made.file.close()
        await files.remove(made.path).catch(() => {})
      }
      for (const segment of segments) await segment.file.close()
      await checkpoint.close()
    },
  }
}

function contentOf({ end, frames, events, oldestAt }: Segment) {
  return { end, frames, events, oldestAt }
}
