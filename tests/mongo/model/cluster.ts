import type { Random } from '../../../server/demo/random.ts'

/** A write, by the instant of its shard at which a majority had it. */
interface Version {
  at: number
  key: string
  value: unknown
}

/**
 * Shards of which now and then one has two members that take themselves for its primary. A write reaches the one that a
 * majority elected, or nobody. A read may ask the other, which answers as things were when it was cut off; asked for a
 * later instant it cannot.
 *
 * The clocks of shards know nothing of each other: a real cluster tells them of later instants, which only makes fewer
 * members able to answer.
 */
export class Cluster {
  readonly #random: Random
  readonly #shards: { versions: Version[]; now: number; cutAt: number | null }[]

  constructor(random: Random, shards: number) {
    this.#random = random
    this.#shards = Array.from({ length: shards }, () => ({ versions: [], now: random.int(50), cutAt: null }))
  }

  /** Cuts the primary of some shard off, or ends that. */
  disturb(): void {
    const shard = this.#random.pick(this.#shards)
    shard.cutAt = shard.cutAt === null ? shard.now : null
  }

  /** As it is: what a write's filter is held against. */
  current<T>(shard: number, key: string): T | undefined {
    return this.#at(shard, key, Number.POSITIVE_INFINITY)
  }

  /** Returns the instant of the write. */
  write(shard: number, key: string, value: unknown): number {
    const own = this.#shards[shard]!
    own.now += 1
    own.versions.push({ at: own.now, key, value })
    return own.now
  }

  /** Whatever member answers; with an instant one that has got there. */
  read<T>(shard: number, key: string, after: number | null): T | undefined {
    return this.#at(shard, key, this.#instant(shard, after))
  }

  /** Every key that begins so, of one member's state. */
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
