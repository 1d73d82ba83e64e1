/** What one request adds to the log, as bytes that only server/ingest/frame.ts reads. */
export interface Frame {
  receivedAt: number
  /** What latestAt comes to with it; receivedAt unless told. Not read back. */
  arrivedAt?: number
  /** Accepted events in it. */
  events: number
  payload: Buffer
}

/** Frames to be stored together. The id is made of their place in the log: the same frames, the same id. */
export interface WalBatch {
  id: string
  frames: Frame[]
  events: number
}

export interface Waiting {
  events: number
  bytes: number
  /** receivedAt of the oldest, null when none wait. */
  oldestAt: number | null
}

/**
 * The log between the door and the store. A frame is in it from append until the batch it went into is acked; what was
 * not acked is handed out again after a restart, as far as the kind of log survives one.
 */
export interface Wal {
  /** Which failure an answered append survives: fsync a power cut, write a kill, memory neither. */
  readonly ackLevel: 'fsync' | 'write' | 'memory'
  /** Resolves when the frame is as safe as the ack level says. */
  append(frame: Frame): Promise<void>
  /** The oldest frames not handed out yet: whole frames up to these bounds, at least one; null when none wait. */
  next(bounds: { events: number; bytes: number }): Promise<WalBatch | null>
  /** The batch is in the store: its frames may be forgotten. */
  ack(batch: WalBatch): Promise<void>
  /** Everything not acked. */
  waiting(): Waiting
  /** The part of it that was not handed out. */
  pending(): Waiting
  /** Events that are only in memory: not as safe yet as the ack level says. */
  uncommitted(): number
  /** Their bytes. */
  uncommittedBytes(): number
  /** Whether appends are refused because the disk takes nothing; tried again by itself. */
  failing(): boolean
  /** What was lost to damaged files since the start. */
  damaged(): { frames: number; events: number }
  /** Events found waiting in logs of earlier or dead processes since the start. */
  recovered(): number
  /**
   * The latest arrivedAt that the logs of the folder knew of when this one was opened, whether or not what came then is
   * stored by now; null when there is none, or nothing tells any more.
   */
  latestAt(): number | null
  /**
   * What waits in logs of other processes on the same folder, as they told it at most TELL_MS ago; null when there are
   * no others.
   */
  elsewhere(now: number): Pick<Waiting, 'events' | 'oldestAt'> | null
  /** Called after each append, and when a log with something in it was taken over. */
  onAppend(listener: () => void): void
  close(): Promise<void>
}
