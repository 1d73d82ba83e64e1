import { setTimeout as sleep } from 'node:timers/promises'
import type { Collection, Db, Document } from 'mongodb'
import type { Collections } from '../../server/store/mongo/collections.ts'

/** The life of a simulated process: after writing a number of documents, none of its operations take effect. */
export class Life {
  readonly #random: (() => number) | undefined
  left: number
  written = 0

  /** With `random`, the process pauses between steps, occasionally so long that others overtake it. */
  constructor(left: number, random?: () => number) {
    this.left = left
    this.#random = random
  }

  get isOver(): boolean {
    return this.left <= 0
  }

  /** Gives other processes a turn before each step. */
  async pause(): Promise<void> {
    if (this.isOver) throw new Error('the process is dead')
    if (this.#random) await sleep(Math.floor(this.#random() * (this.#random() < 0.05 ? 80 : 3)))
    if (this.isOver) throw new Error('the process is dead')
  }

  /** Consumes this many documents; returns how many of them are still written. */
  spend(documents: number): number {
    const spent = Math.min(documents, this.left)
    this.left -= spent
    this.written += spent
    return spent
  }

  /** Returns the answer, or throws if the process is dead. */
  hear<T>(answer: T): T {
    if (this.isOver) throw new Error('the process died')
    return answer
  }
}

/**
 * Collections for a process that dies after writing a number of documents, possibly in the middle of a bulk write: its
 * last documents are stored, but it gets no answer.
 */
export function mortal(rows: Collections, life: Life): Collections {
  const wrapped: Record<string, unknown> = {}
  for (const [name, collection] of Object.entries(rows))
    if (name !== 'events') wrapped[name] = mortalCollection(collection as Collection<Document>, life)
  wrapped.events = (month: number) => mortalCollection(rows.events(month) as unknown as Collection<Document>, life)
  return wrapped as unknown as Collections
}

const oneDocument = ['insertOne', 'updateOne', 'deleteOne', 'findOneAndUpdate', 'deleteMany', 'createIndexes']
const manyDocuments = ['insertMany', 'bulkWrite']

function mortalCollection(collection: Collection<Document>, life: Life): Collection<Document> {
  return new Proxy(collection, {
    get(target, name: string) {
      if (name === 'db') return mortalDatabase(target.db, life)
      const method = Reflect.get(target, name) as unknown
      if (typeof method !== 'function') return method
      const call = (...args: unknown[]) => method.apply(target, args) as Promise<unknown>
      if (oneDocument.includes(name))
        return async (...args: unknown[]) => {
          await life.pause()
          life.spend(1)
          return life.hear(await call(...args))
        }
      if (manyDocuments.includes(name))
        return async (documents: unknown[], ...rest: unknown[]) => {
          await life.pause()
          const written = life.spend(documents.length)
          return life.hear(await call(documents.slice(0, written), ...rest))
        }
      // Used by a fold to mark its batches.
      if (name === 'updateMany')
        return async (filter: { _id: { $in: unknown[] } }, ...rest: unknown[]) => {
          await life.pause()
          const written = life.spend(filter._id.$in.length)
          const part = { ...filter, _id: { $in: filter._id.$in.slice(0, written) } }
          return life.hear(await call(part, ...rest))
        }
      if (name === 'findOne' || name === 'countDocuments')
        return async (...args: unknown[]) => {
          await life.pause()
          return life.hear(await call(...args))
        }
      return (...args: unknown[]) => {
        life.hear(null)
        return call(...args)
      }
    },
  })
}

/** The only command in use updates many documents; it writes as many as the process has left. */
function mortalDatabase(db: Db, life: Life): Pick<Db, 'command' | 'client'> {
  return {
    client: db.client,
    async command({ updates, ...command }: Document) {
      await life.pause()
      if (updates === undefined) return life.hear(await db.command(command))
      const written = life.spend(updates.length)
      return life.hear(written === 0 ? {} : await db.command({ ...command, updates: updates.slice(0, written) }))
    },
  }
}
