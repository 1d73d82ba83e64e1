/** One part of a list as it came, newest first or in the order that was asked for. */
export interface Part<Item> {
  items: readonly Item[]
  nextCursor: string | null
}

/** A list of which parts came one after another, while its first part was loaded anew. */
export interface List<Item> {
  /** What it is a list of: answers to anything else are none of it. */
  of: string
  first: Part<Item>
  items: readonly Item[]
  nextCursor: string | null
  /** Parts were added to the first. */
  isLonger: boolean
}

export function listOf<Item>(of: string, first: Part<Item>): List<Item> {
  return { of, first, items: first.items, nextCursor: first.nextCursor, isLonger: false }
}

/**
 * The list with its first part as it is now. What is pushed out of that part by what came since stays; where so much came
 * that nothing is left of the part before, nobody knows what lies between, and the list begins anew.
 */
export function withFirst<Item>(list: List<Item>, first: Part<Item>, keyOf: (item: Item) => string): List<Item> {
  const there = new Set(first.items.map(keyOf))
  const rest = list.items.filter((item) => !there.has(keyOf(item)))
  if (rest.length === list.items.length) return listOf(list.of, first)
  return {
    ...list,
    first,
    items: [...first.items, ...rest],
    nextCursor: list.isLonger ? list.nextCursor : first.nextCursor,
  }
}

/** The list with the part that follows it. */
export function withNext<Item>(list: List<Item>, next: Part<Item>, keyOf: (item: Item) => string): List<Item> {
  const there = new Set(list.items.map(keyOf))
  return {
    ...list,
    items: [...list.items, ...next.items.filter((item) => !there.has(keyOf(item)))],
    nextCursor: next.nextCursor,
    isLonger: true,
  }
}
