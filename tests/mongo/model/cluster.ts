import type { Random } from '../../../server/demo/random.ts'

/** A write. `at`: the logical time of its shard at which a majority had it. */
interface Version {
  at: number
  key: string
  value: unknown
}

/**
 * A model of shards, some of which temporarily have two members that both believe to be the primary. Writes only
 * succeed on the one elected by a majority. Reads may reach the other, which returns the state from when it was cut
 * off; it cannot answer reads after a later time. Each shard has its own logical clock. In a real cluster clocks
 * advance each other, which only makes fewer members able to answer.
 */
export class Cluster {
  readonly #random: Random
  readonly #shards: { versions: Version[]; now: number; cutAt: number | null }[]

  constructor(random: Random, shards: number) {
    this.#random = random
    this.#shards = Array.from({ length: shards }, () => ({ versions: [], now: random.int(50), cutAt: null }))
  }

  /** Cuts off the primary of a random shard, or heals it. */
  disturb(): void {
    const shard = this.#random.pick(this.#shards)
    shard.cutAt = shard.cutAt === null ? shard.now : null
  }

  /** The majority's state, against which the filter of a write is evaluated. */
  current<T>(shard: number, key: string): T | undefined {
    return this.#at(shard, key, Number.POSITIVE_INFINITY)
  }

  /** Writes a value and returns the time of the write. */
  write(shard: number, key: string, value: unknown): number {
    const own = this.#shards[shard]!
    own.now += 1
    own.versions.push({ at: own.now, key, value })
    return own.now
  }

  /** Reads from any member; with `after`, only from one that has reached that time. */
  read<T>(shard: number, key: string, after: number | null): T | undefined {
    return this.#at(shard, key, this.#instant(shard, after))
  }

  /** All keys with this prefix, from the state of one member. */
  readAll<T>(shard: number, beginning: string, after: number | null): [string, T][] {
    const instant = this.#instant(shard, after)
    const found = new Map<string, T>()
    for (const { at, key, value } of this.#shards[shard]!.versions)
      if (at <= instant && key.startsWith(beginning)) found.set(key, value as T)
    return [...found]
  }

  #instant(shard: number, after: number | null): number {
    const { cutAt } = this.#shards[shard]!
    const isOldAble = cutAt !== null && (after === null || after <= cutAt)
    return isOldAble && this.#random.chance(0.5) ? cutAt : Number.POSITIVE_INFINITY
  }

  #at<T>(shard: number, key: string, instant: number): T | undefined {
    const last = this.#shards[shard]!.versions.findLast((version) => version.key === key && version.at <= instant)
    return last?.value as T | undefined
  }
}
