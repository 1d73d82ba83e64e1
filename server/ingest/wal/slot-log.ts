import { join } from 'node:path'
import { giveBack } from '../../give-back.ts'
import { type Checkpoint, type CheckpointState, type OpenBatch, openCheckpoint, type Place } from './checkpoint.ts'
import type { LogFiles } from './files.ts'
import { type CommitFailure, createGroupCommit } from './group-commit.ts'
import { openSegments } from './open-segments.ts'
import { type ReadRange, readRange } from './range.ts'
import { later, SEGMENT_START, segmentFileName } from './segment.ts'
import { isBefore, measure, readSegment, type Segment } from './segments.ts'
import type { Frame, Waiting, WalBatch } from './wal.ts'

export interface SlotLogOptions {
  files: LogFiles
  /** The folder of one slot, held by this process alone. */
  folder: string
  /** Larger than that of every earlier owner of the folder, and of everything in it. */
  epoch: number
  /** Asked before anybody is told that something is safe, and before the checkpoint is written (Slot.isHeld). */
  isHeld?: () => Promise<boolean>
  segmentBytes: number
  /** fsync: an append resolves when it is synced. write: when it is written; synced within syncDelayMs. */
  ackLevel: 'fsync' | 'write'
  syncDelayMs?: number
  report: (problem: LogProblem) => void
  /** Told of each commit: how many events it made safe, and how long the disk took. */
  onCommit?: ((commit: { events: number; tookMs: number }) => void) | undefined
}

/** What an operator should know: damage is counted and kept aside, never a reason to stop. */
export type LogProblem =
  /**
   * Frames whose checksums do not hold, or events that are gone with them; their segment is kept as *.damaged once the
   * others are stored. Events are told when all of the segment was read.
   */
  | { kind: 'damaged'; path: string; frames: number; events: number }
  /** Bytes of a commit that was cut by a crash before anybody was told of it. */
  | { kind: 'torn'; path: string }
  | CommitFailure

/** The log of one slot: appends go to the newest segment, batches come from the oldest. */
export interface SlotLog {
  append(frame: Frame): Promise<void>
  next(bounds: { events: number; bytes: number }): Promise<WalBatch | null>
  ack(batch: WalBatch): Promise<void>
  waiting(): Waiting
  pending(): Waiting
  /** Appended but not committed yet: what a kill would lose of answered nothing. */
  uncommitted(): { events: number; bytes: number }
  /** Whether appends are refused because nothing can be written. */
  failing(): boolean
  onAppend(listener: () => void): void
  /** Frames whose checksums did not hold, and the events that were counted in them. */
  damaged(): { frames: number; events: number }
  close(): Promise<void>
}

export async function openSlotLog(options: SlotLogOptions): Promise<SlotLog> {
  const { files, folder, report } = options
  const opened = await openSegments(files, folder)
  const { unreadable, torn } = opened
  for (const path of torn) report({ kind: 'torn', path })
  // Told first: killed in between, it is told once more.
  for (const { path, events } of unreadable) {
    report({ kind: 'damaged', path, frames: 1, events })
    await files.rename(path, `${path}.damaged`)
  }
  const checkpoint: Checkpoint = await openCheckpoint(files, folder)
  const unread = opened.segments.filter((segment) => checkpoint.state && wasPassedOver(segment, checkpoint.state))
  await moveToEnd(files, folder, unread, options.epoch)
  /** Replaced, never changed in place but for appends: whoever walks over it while segments go away keeps its own. */
  let segments: readonly Segment[] = [...opened.segments.filter((segment) => !unread.includes(segment)), ...unread]

  const listeners: (() => void)[] = []
  // Where a later state is lost, a batch without any segment is one that it knew to be stored.
  const isLeft = ({ from, to }: OpenBatch) =>
    segments.some((segment) => beginsBefore(segment, to) && !isBefore({ ...segment, offset: segment.end }, from))
  const replays = (checkpoint.state?.open ?? []).filter((batch) => !checkpoint.isOld || isLeft(batch))
  const open = new Map<string, OpenBatch>(replays.map((batch) => [batch.id, batch]))
  let damagedFrames = unreadable.length
  let lostEvents = unreadable.reduce((sum, { events }) => sum + events, 0)
  let cursor: CheckpointState['cursor'] = checkpoint.state?.cursor ?? { epoch: 0, seq: 0, offset: SEGMENT_START }
  let latestAt = segments.reduce((at, segment) => later(at, segment.latestAt), checkpoint.state?.latestAt ?? null)
  const ahead = { events: 0, bytes: 0, oldestAt: null as number | null }

  const commits = createGroupCommit({
    ...options,
    firstSeq: unread.length,
    onSegment(segment) {
      segments = [...segments, segment]
    },
    onCommit({ events, bytes, receivedAt, latestAt: at, tookMs }) {
      latestAt = later(latestAt, at)
      if (ahead.events === 0) ahead.oldestAt = receivedAt
      ahead.events += events
      ahead.bytes += bytes
      options.onCommit?.({ events, tookMs })
    },
    onAppended() {
      for (const listener of listeners) listener()
    },
  })

  /** What lies between the cursor and the end, for a start after a crash or an outage. */
  async function countAhead(): Promise<void> {
    for (const segment of segments) {
      const isInside = cursor.epoch === segment.epoch && cursor.seq === segment.seq
      if (isInside) {
        const taken = cursor.taken ?? segment.events - (await measure(segment, cursor.offset, segment.end)).events
        // An older copy of it, put back, has less than was handed out.
        segment.taken = Math.min(taken, segment.events)
      } else if (beginsBefore(segment, cursor)) segment.taken = segment.events
      ahead.events += segment.events - segment.taken
    }
    for (const segment of segments) {
      const lost = segment.end === SEGMENT_START ? settle(segment) : 0
      if (lost > 0) report({ kind: 'damaged', path: segment.path, frames: 1, events: lost })
    }
    ahead.bytes = bytesAhead()
    ahead.oldestAt = await oldestAhead()
  }

  function countDamage(segment: Segment, frames: number): void {
    segment.damaged += frames
    segment.isDamaged ||= frames > 0
    damagedFrames += frames
  }

  /** Counts as lost what is not to be found of a segment that was read to its end. Returns how many events. */
  function settle(segment: Segment): number {
    const lost = segment.events - segment.taken
    if (lost === 0) return 0
    segment.taken += lost
    if (segment.damaged === 0) countDamage(segment, 1)
    ahead.events -= lost
    lostEvents += lost
    return lost
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
    if (replay) return takeAgain(replay)
    const first = segments.find(
      (segment) => !isBefore({ ...segment, offset: segment.end }, cursor) && segment.end > startIn(segment),
    )
    if (!first) {
      settleAtEnd()
      return null
    }
    const from = { epoch: first.epoch, seq: first.seq, offset: startIn(first) }
    const read = await readRange(segments, { from, to: null }, bounds)
    const { frames, to, events } = read
    if (frames.length === 0 && !isBefore(from, to)) return null
    const batch: OpenBatch = {
      // Both ends and the count: if a checkpoint is lost the same place may begin another batch, or less of this one,
      // which the store must not take for this.
      id: `${first.id}-${from.offset}-${to.epoch}.${to.seq}.${to.offset}-${events}`,
      from,
      to,
      events,
      bytes: frames.reduce((sum, frame) => sum + frame.payload.length, 0),
      oldestAt: frames[0]?.receivedAt ?? 0,
    }
    // In one turn, so that whoever looks counts each event once.
    const advanced = advance(read)
    for (const problem of advanced.problems) report(problem)
    if (frames.length > 0) open.set(batch.id, batch)
    try {
      // Written down before it is handed out: after a crash the same frames come again under the same id.
      await saveCheckpoint()
    } catch (error) {
      advanced.undo()
      open.delete(batch.id)
      throw error
    }
    settleAtEnd()
    if (ahead.events === 0) ahead.oldestAt = null
    // A commit that ends meanwhile sets it itself where nothing was ahead. The batch is taken, whatever comes after it.
    else ahead.oldestAt = read.nextReceivedAt ?? (await oldestAhead().catch(() => null)) ?? ahead.oldestAt
    if (frames.length > 0) return { id: batch.id, frames, events }
    // Only damage up to here.
    await forget(segments.filter(isStored))
    return takeBatch(bounds)
  }

  /** A batch that a dead process had handed out. */
  async function takeAgain(replay: OpenBatch): Promise<WalBatch> {
    const { frames, events, parts } = await readRange(
      segments,
      { from: replay.from, to: replay.to },
      { events: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER },
    )
    const lost = replay.events - events
    // What the store said of all of it, event by event, is not to be taken for what it says of the rest.
    const id = lost === 0 ? replay.id : `${replay.id}/without-${lost}`
    replays.shift()
    open.delete(replay.id)
    open.set(id, { ...replay, id, events })
    lostEvents += lost
    const harmed = parts.filter(({ damaged }) => damaged > 0)
    for (const { segment, damaged } of harmed) countDamage(segment, damaged)
    if (harmed.length > 0 || lost > 0) {
      const path = (harmed[0] ?? parts[0])?.segment.path ?? folder
      const count = harmed.reduce((sum, { damaged }) => sum + damaged, 0)
      report({ kind: 'damaged', path, frames: count, events: lost })
    }
    return { id, frames, events }
  }

  /** Goes on behind what was read. What did not hold of it is to be told of, unless all of it is taken back. */
  function advance({ to, parts }: ReadRange): { problems: LogProblem[]; undo: () => void } {
    const before = cursor
    const problems: LogProblem[] = []
    const undos: (() => void)[] = []
    cursor = to
    for (const { segment, events, damaged } of parts) {
      const was = { taken: segment.taken, damaged: segment.damaged, isDamaged: segment.isDamaged }
      const countedBefore = damagedFrames
      segment.taken += events
      countDamage(segment, damaged)
      ahead.events -= events
      const lost = isBefore(cursor, { ...segment, offset: segment.end }) ? 0 : settle(segment)
      if (damaged > 0 || lost > 0) problems.push({ kind: 'damaged', path: segment.path, frames: damaged, events: lost })
      const counted = damagedFrames - countedBefore
      undos.push(() => {
        Object.assign(segment, was)
        damagedFrames -= counted
        ahead.events += events + lost
        lostEvents -= lost
      })
    }
    ahead.bytes = bytesAhead()
    return {
      problems,
      undo() {
        cursor = before
        for (const undo of undos) undo()
        ahead.bytes = bytesAhead()
      },
    }
  }

  /** At the end of the log nothing waits any more: what was still counted is gone. */
  function settleAtEnd(): void {
    if (ahead.bytes > 0 || ahead.events === 0) return
    report({ kind: 'damaged', path: folder, frames: 0, events: ahead.events })
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

  /** Of the first frame ahead that holds; where none does, of what there is: somebody must come to find that out. */
  async function oldestAhead(): Promise<number | null> {
    if (ahead.events === 0) return null
    let oldest: number | null = null
    for (const segment of segments) {
      const start = startIn(segment)
      if (isBefore({ ...segment, offset: segment.end }, cursor) || start >= segment.end) continue
      const { frames } = await readSegment(segment, start, segment.end, { events: 1, bytes: 1, atLeastOne: true })
      if (frames[0]) return frames[0].receivedAt
      oldest ??= segment.oldestAt
    }
    return oldest ?? Date.now()
  }

  let saving: Promise<void> = Promise.resolve()

  function saveCheckpoint(): Promise<void> {
    const saved = saving.then(async () => {
      if (options.isHeld && !(await options.isHeld())) throw new Error(`${folder} is another process's log by now`)
      const known = segments.filter((segment) => beginsBefore(segment, cursor)).map(({ salt }) => salt)
      const taken = segments.find(({ epoch, seq }) => epoch === cursor.epoch && seq === cursor.seq)?.taken ?? 0
      await checkpoint.save({ cursor: { ...cursor, taken }, open: [...open.values()], known, latestAt })
    })
    saving = saved.catch(() => {})
    return saved
  }

  async function ack(batch: WalBatch): Promise<void> {
    if (!open.delete(batch.id)) return
    for (const { payload } of batch.frames) giveBack(payload)
    const stored = segments.filter(isStored)
    if (stored.length === 0) return
    // Only a checkpoint that survives a power cut allows the frames to go, and only those that it knows to be stored.
    await saveCheckpoint()
    await forget(stored)
  }

  function isStored(segment: Segment): boolean {
    if (commits.writes(segment)) return false
    if (segment.frames === 0 && segment.taken === segment.events) return true
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
      if (segment.isDamaged) await files.rename(segment.path, `${segment.path}.damaged`)
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
    append: commits.append,
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
    uncommitted: commits.uncommitted,
    failing: commits.failing,
    onAppend: (listener) => void listeners.push(listener),
    damaged: () => ({ frames: damagedFrames, events: lostEvents }),
    async close() {
      await commits.close()
      await taking
      await saving
      const stored = segments.filter(isStored)
      await saveCheckpoint()
        .then(() => forget(stored))
        .catch(() => {})
      await commits.removeSpare()
      for (const segment of segments) await segment.file.close()
      await checkpoint.close()
    },
  }
}

function beginsBefore({ epoch, seq }: Segment, place: Place): boolean {
  return !isBefore(place, { epoch, seq, offset: SEGMENT_START })
}

/**
 * Whether a segment has a place that was handed out, and is another than the one that was: a restored or copied one, or
 * one of a process that began to count anew.
 */
function wasPassedOver(segment: Segment, { cursor, known, open }: CheckpointState): boolean {
  if (!beginsBefore(segment, cursor)) return false
  if (known) return !known.includes(segment.salt)
  // Nothing is known of it, and what was stored may come again; but an open batch must find its frames.
  const isCurrent = segment.epoch === cursor.epoch && segment.seq === cursor.seq
  const end = { epoch: segment.epoch, seq: segment.seq, offset: segment.end }
  return !isCurrent && !open.some(({ from, to }) => beginsBefore(segment, to) && !isBefore(end, from))
}

/** Gives segments the first places of an epoch that has none yet. */
async function moveToEnd(files: LogFiles, folder: string, segments: Segment[], epoch: number): Promise<void> {
  for (const [seq, segment] of segments.entries()) {
    const path = join(folder, segmentFileName({ epoch, seq }))
    await files.rename(segment.path, path)
    Object.assign(segment, { epoch, seq, path })
  }
  if (segments.length > 0) await files.syncFolder(folder)
}
