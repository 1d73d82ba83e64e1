/** What waits, in lanes: whoever sends much waits behind itself, and not in front of others. */
export interface FairQueue<Item> {
  readonly size: number
  push(lane: unknown, item: Item): void
  /** The next, of one lane after another; undefined when nothing waits. */
  shift(): Item | undefined
  /** Takes the last of the longest lane out, to make room for one of this lane; undefined when this is the longest itself. */
  giveWay(lane: unknown): Item | undefined
}

export function createFairQueue<Item>(): FairQueue<Item> {
  /** The first is the next to have a turn. */
  const lanes = new Map<unknown, Item[]>()
  let size = 0

  function forget(lane: unknown, items: Item[]): void {
    size--
    if (items.length === 0) lanes.delete(lane)
  }

  return {
    get size() {
      return size
    },
    push(lane, item) {
      size++
      const items = lanes.get(lane)
      if (items) items.push(item)
      else lanes.set(lane, [item])
    },
    shift() {
      const [next] = lanes
      if (!next) return undefined
      const [lane, items] = next
      const item = items.shift()
      lanes.delete(lane)
      lanes.set(lane, items)
      forget(lane, items)
      return item
    },
    giveWay(lane) {
      const [longest] = [...lanes].sort(([, one], [, other]) => other.length - one.length)
      if (!longest || longest[1].length <= (lanes.get(lane)?.length ?? 0) + 1) return undefined
      const item = longest[1].pop()
      forget(...longest)
      return item
    },
  }
}
