import { hostname } from 'node:os'
import type { Collections } from '../collections.ts'
import type { BatchRow } from '../rows.ts'

const BEAT_MS = 5000
/** A process that has not been heard of for this long is gone. If it is not, its batches begin anew: that costs work alone. */
export const GONE_MS = 60_000

/** Tells others that a process which stores events is there. */
export interface Presence {
  /** To be awaited before the first batch begins. */
  begin(): Promise<void>
  end(): Promise<void>
}

export function createPresence({ writers }: Pick<Collections, 'writers'>, owner: string): Presence {
  let timer: NodeJS.Timeout | null = null
  let begun: Promise<void> | null = null
  const tell = async () => {
    await writers.updateOne(
      { _id: owner },
      { $set: { host: hostname() }, $currentDate: { seenAt: true } },
      { upsert: true },
    )
  }
  return {
    begin() {
      begun ??= tell().then(
        () => {
          timer ??= setInterval(() => void tell().catch(nothing), BEAT_MS).unref()
        },
        (error: unknown) => {
          begun = null
          throw error
        },
      )
      return begun
    },
    async end() {
      if (timer) clearInterval(timer)
      // What it has begun it will go on with under another name, or others will.
      if (begun) await writers.deleteOne({ _id: owner }).catch(nothing)
    },
  }
}

/** Those of some unfinished batches whose process has not been heard of for long, by the database's clock. */
export async function areGone(
  rows: Pick<Collections, 'writers' | 'head'>,
  batches: readonly BatchRow[],
  goneMs = GONE_MS,
): Promise<BatchRow[]> {
  if (batches.length === 0) return []
  const { localTime } = (await rows.head.db.command({ hello: 1 })) as { localTime: Date }
  const heardOf = localTime.getTime() - goneMs
  const owners = batches.flatMap(({ owner }) => owner ?? [])
  const found = await rows.writers.find({ _id: { $in: owners } }).toArray()
  const seenAt = new Map(found.map((row) => [row._id, row.seenAt.getTime()]))
  return batches.filter(({ owner, begunAt }) => (seenAt.get(owner ?? '') ?? begunAt.getTime()) < heardOf)
}

function nothing(): void {}
