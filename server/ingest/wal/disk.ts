import { dirname } from 'node:path'
import { diskFiles, type LogFiles, namesIn } from './files.ts'
import { findLatest } from './latest.ts'
import { parseSegmentFileName } from './segment.ts'
import { type LogProblem, openSlotLog, type SlotLog, type SlotLogOptions } from './slot-log.ts'
import { createSlots, type Slot, type SlotsOptions } from './slots.ts'
import { createListener, createTeller, type Teller } from './told.ts'
import { unusable } from './unusable.ts'
import type { Waiting, Wal, WalBatch } from './wal.ts'

export interface DiskWalOptions {
  dir: string
  ackLevel: 'fsync' | 'write'
  segmentBytes: number
  /** A log with more than this waiting is left to drain while a fresh one takes the appends, so that new events do not queue behind old ones. */
  switchBytes: number
  report: (problem: LogProblem | { kind: 'lost'; path: string }) => void
  files?: LogFiles
  /** Told of each commit of any of its slots. */
  onCommit?: SlotLogOptions['onCommit']
  /** How often to look for logs whose owners died. */
  adoptEveryMs?: number
  /** How this process and others are told apart; tests give their own. */
  owners?: Pick<SlotsOptions, 'facts' | 'heartbeatMs' | 'silentMs'>
}

/** How long the log goes on as it is after a fresh one could not be made. */
const SWITCH_RETRY_MS = 1000

interface Held {
  slot: Slot
  log: SlotLog
  teller: Teller
}

/**
 * The log of this process: one slot that takes appends, and any number of slots that only drain — those of dead
 * processes, its own from before a restart or an outage. Batches come from both kinds in turn.
 */
export async function openDiskWal(options: DiskWalOptions): Promise<Wal> {
  try {
    return await open(options)
  } catch (error) {
    throw await unusable(error, options.dir)
  }
}

async function open(options: DiskWalOptions): Promise<Wal> {
  const { dir, ackLevel, segmentBytes, switchBytes, report, onCommit, files = diskFiles } = options
  if ((await namesIn(dir, files)).length === 0) {
    await files.makeFolder(dir)
    await files.syncFolder(dirname(dir))
  }
  const slots = createSlots({ ...options.owners, dir, files, onLost: (path) => report({ kind: 'lost', path }) })
  const listeners: (() => void)[] = []
  const origins = new WeakMap<WalBatch, Held>()
  const draining = new Set<Held>()
  const damagedBefore = { frames: 0, events: 0 }
  let recovered = 0
  let switching: Promise<void> | null = null
  let switchAfter = Number.NEGATIVE_INFINITY
  let turn = 0
  let closed = false

  async function hold(slot: Slot): Promise<Held> {
    const log = await openSlotLog({
      files,
      folder: slot.folder,
      epoch: slot.epoch,
      isHeld: slot.isHeld,
      segmentBytes,
      ackLevel,
      report,
      onCommit,
    })
    // Also what was lost of it: it came in once.
    recovered += log.waiting().events + log.damaged().events
    const teller = createTeller(slot.folder, () => log.waiting())
    log.onAppend(() => {
      teller.changed()
      for (const listener of listeners) listener()
    })
    return { slot, log, teller }
  }

  async function claimFresh(): Promise<Held> {
    const slot = await slots.claim(async (folder) => !(await holdsSegments(folder, files)))
    if (!slot) throw new Error(`no free slot in ${dir}`)
    return holdOrRelease(slot)
  }

  async function holdOrRelease(slot: Slot): Promise<Held> {
    try {
      return await hold(slot)
    } catch (error) {
      await slot.release()
      throw error
    }
  }

  /** Takes over every log that nobody owns and that holds something. */
  async function adopt(): Promise<void> {
    const failed = new Map<string, unknown>()
    const isWanted = async (folder: string) => !failed.has(folder) && holdsSegments(folder, files)
    for (let slot = await slots.claim(isWanted); slot; slot = await slots.claim(isWanted)) {
      try {
        draining.add(await holdOrRelease(slot))
        for (const listener of listeners) listener()
      } catch (error) {
        // What waits in the others need not wait for it.
        failed.set(slot.folder, error)
      }
    }
    // What only held stored frames or none is done with.
    for (const held of draining) if (held.log.waiting().bytes === 0 && isDone(held)) await letGo(held)
    for (const error of failed.values()) throw error
  }

  /** Also of appends that began before it was left to drain. */
  function isDone({ log }: Held): boolean {
    return log.waiting().events === 0 && log.uncommitted().events === 0
  }

  const latestAt = await findLatest(dir, files)
  await adopt()
  let own = await claimFresh()
  const adopting = setInterval(() => {
    adopt().catch((error: unknown) => report({ kind: 'failed', error }))
  }, options.adoptEveryMs ?? 3000)
  adopting.unref()

  function switchIfFull(): void {
    if (switching || closed || own.log.waiting().bytes < switchBytes || performance.now() < switchAfter) return
    switching = claimFresh()
      .then((fresh) => {
        draining.add(own)
        own = fresh
      })
      .catch((error: unknown) => {
        switchAfter = performance.now() + SWITCH_RETRY_MS
        report({ kind: 'failed', error })
      })
      .finally(() => {
        switching = null
      })
  }

  async function next(bounds: { events: number; bytes: number }): Promise<WalBatch | null> {
    const old = [...draining]
    // In turn: the fresh log, then one of the others, so that neither starves.
    const order = turn++ % 2 === 0 ? [own, ...old] : [...old.slice(turn % Math.max(1, old.length)), ...old, own]
    for (const held of order) {
      const batch = await held.log.next(bounds)
      if (!batch) continue
      origins.set(batch, held)
      return batch
    }
    return null
  }

  async function ack(batch: WalBatch): Promise<void> {
    const held = origins.get(batch)
    if (!held) return
    await held.log.ack(batch)
    held.teller.changed()
    if (draining.has(held) && isDone(held)) await letGo(held)
  }

  async function letGo(held: Held): Promise<void> {
    if (!draining.delete(held)) return
    const { frames, events } = held.log.damaged()
    damagedBefore.frames += frames
    damagedBefore.events += events
    await put(held)
  }

  async function put({ slot, log, teller }: Held): Promise<void> {
    await log.close()
    await teller.close()
    // On a full disk there is no room to say that it was: once this process is gone that is known without.
    await slot.release().catch((error: unknown) => report({ kind: 'failed', error }))
  }

  function sum(of: (log: SlotLog) => Waiting): Waiting {
    const total: Waiting = { events: 0, bytes: 0, oldestAt: null }
    for (const { log } of [own, ...draining]) {
      const { events, bytes, oldestAt } = of(log)
      total.events += events
      total.bytes += bytes
      if (oldestAt !== null && (total.oldestAt === null || oldestAt < total.oldestAt)) total.oldestAt = oldestAt
    }
    return total
  }

  return {
    ackLevel,
    append(frame) {
      switchIfFull()
      return own.log.append(frame)
    },
    next,
    ack,
    waiting: () => sum((log) => log.waiting()),
    pending: () => sum((log) => log.pending()),
    failing: () => own.log.failing(),
    uncommitted: () => [own, ...draining].reduce((events, { log }) => events + log.uncommitted().events, 0),
    uncommittedBytes: () => [own, ...draining].reduce((bytes, { log }) => bytes + log.uncommitted().bytes, 0),
    damaged: () =>
      [own, ...draining].reduce((sum, { log }) => {
        const { frames, events } = log.damaged()
        return { frames: sum.frames + frames, events: sum.events + events }
      }, damagedBefore),
    recovered: () => recovered,
    latestAt: () => latestAt,
    elsewhere: createListener(dir, (number) => [own, ...draining].some(({ slot }) => slot.number === number)),
    onAppend: (listener) => void listeners.push(listener),
    async close() {
      closed = true
      clearInterval(adopting)
      await switching
      for (const held of [own, ...draining]) await put(held)
      await slots.close()
    },
  }
}

async function holdsSegments(folder: string, files: LogFiles): Promise<boolean> {
  return (await namesIn(folder, files)).some((name) => parseSegmentFileName(name) !== null)
}
