import type { Recorded } from './mocks.ts'

/**
 * The resources as text for comparison: one block per resource, one property per line. Secrets are hidden. Keys of
 * `replaced` (secrets inside lists, checksums that change often) are replaced by their values.
 */
export function snapshotOf(resources: readonly Recorded[], replaced: Readonly<Record<string, string>>): string {
  const text = resources.map(blockOf).join('\n')
  return Object.entries(replaced).reduce((result, [value, word]) => result.replaceAll(value, `<${word}>`), text)
}

function blockOf(resource: Recorded): string {
  const { type, name, inputs, protect, retainOnDelete, ignoreChanges, replaceOnChanges, deleteBeforeReplace } = resource
  const options = [
    ...(protect ? ['protected'] : []),
    ...(retainOnDelete ? ['kept'] : []),
    ...(ignoreChanges.length > 0 ? [`ignores changes of ${ignoreChanges.join(', ')}`] : []),
    ...(replaceOnChanges.length > 0 ? [`another one for changes of ${replaceOnChanges.join(', ')}`] : []),
    ...(deleteBeforeReplace ? ['deleted before its successor is made'] : []),
  ]
  const head = `${type} ${name}${options.length > 0 ? ` (${options.join('; ')})` : ''}`
  return [head, ...linesOf(inputs, '  ')].join('\n').concat('\n')
}

function linesOf(value: object, indent: string): string[] {
  return Object.entries(value)
    .sort(([a], [b]) => (Array.isArray(value) ? 0 : a < b ? -1 : 1))
    .flatMap(([key, inner]) => {
      const shown = Array.isArray(value) ? '-' : `${key}:`
      const opened = documentIn(inner)
      if (typeof opened === 'object' && opened !== null) {
        // Pulumi makes a whole list secret if one item is; show the items that are not.
        if ('secret' in opened) {
          const inside = opened.secret
          const open = typeof inside === 'object' && inside !== null ? linesOf(inside, `${indent}  `) : []
          return [`${indent}${shown} (secret)`, ...open]
        }
        if (Object.keys(opened).length > 0) return [`${indent}${shown}`, ...linesOf(opened, `${indent}  `)]
        return [`${indent}${shown} ${Array.isArray(opened) ? '[]' : '{}'}`]
      }
      if (typeof opened === 'string' && opened.includes('\n'))
        return [
          `${indent}${shown} |`,
          ...opened
            .trimEnd()
            .split('\n')
            .map((line) => `${indent}  ${line}`.trimEnd()),
        ]
      return [`${indent}${shown} ${String(opened)}`]
    })
}

/** Parses JSON texts (policies, dashboards, documents), to show them line by line. */
function documentIn(value: unknown): unknown {
  if (typeof value !== 'string' || !/^[[{]/.test(value)) return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

export interface Difference {
  removed: string[]
  added: string[]
}

/** The difference between two snapshots; each line names its resource. */
export function differenceOf(before: string, after: string): Difference {
  const [old, now] = [blocksOf(before), blocksOf(after)]
  const missing = (from: Map<string, string[]>, to: Map<string, string[]>) =>
    [...from].flatMap(([head, lines]) => {
      const other = to.get(head)
      if (!other) return [head, ...lines]
      const changed = notIn(lines, other)
      return changed.length > 0 ? [head, ...changed] : []
    })
  return { removed: missing(old, now), added: missing(now, old) }
}

function blocksOf(text: string): Map<string, string[]> {
  const blocks = new Map<string, string[]>()
  for (const block of text.split('\n\n')) {
    const [head = '', ...lines] = block.trimEnd().split('\n')
    if (head !== '') blocks.set(head, lines)
  }
  return blocks
}

/** Lines that `others` does not have, or has less often. */
function notIn(lines: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>()
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1)
  return lines.filter((line) => {
    const count = left.get(line) ?? 0
    if (count > 0) left.set(line, count - 1)
    return count === 0
  })
}
