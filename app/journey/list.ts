/** One page of a list as received, in the requested order (newest first by default). */
export interface Part<Item> {
  items: readonly Item[]
  nextCursor: string | null
}

/** A list loaded page by page, whose first page may be reloaded. */
export interface List<Item> {
  /** Identifies the list; answers to requests for another list are ignored. */
  of: string
  first: Part<Item>
  items: readonly Item[]
  nextCursor: string | null
  /** Whether pages were appended to the first. */
  isLonger: boolean
}

export function listOf<Item>(of: string, first: Part<Item>): List<Item> {
  return { of, first, items: first.items, nextCursor: first.nextCursor, isLonger: false }
}

/**
 * Updates the first page of a list. Items pushed off it by new ones stay in the list. If none of the known items is
 * left on the new first page, there may be a gap between the two, so the list starts over.
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

/** Appends the next page to a list, without items it already has. */
export function withNext<Item>(list: List<Item>, next: Part<Item>, keyOf: (item: Item) => string): List<Item> {
  const there = new Set(list.items.map(keyOf))
  return {
    ...list,
    items: [...list.items, ...next.items.filter((item) => !there.has(keyOf(item)))],
    nextCursor: next.nextCursor,
    isLonger: true,
  }
}
