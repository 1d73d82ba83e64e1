import { type Change, packClock } from '../../trpc/schema/clock.ts'

/** The data of the package moment-timezone (data/packed). */
interface Source {
  version: string
  zones: string[]
  links: string[]
}

export interface ZoneRules {
  /** Version of the time zone database, such as "2026f". */
  version: string
  /** Packed clocks by zone name. */
  zones: Record<string, string>
  /** Aliases: other names of a zone, mapped to the zone. */
  links: Record<string, string>
}

/** Range of the rules to keep: no event is older, and later days are hardly ever requested. */
const FROM = Date.UTC(1970, 0, 1) - 2 * 86_400_000
const TO = Date.UTC(2100, 0, 1)

export function zoneRules({ version, zones, links }: Source): ZoneRules {
  const packed = zones.map(unpacked).sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    version,
    zones: Object.fromEntries(packed.map(([name, changes]) => [name, packClock(changes)])),
    links: Object.fromEntries(
      links.map((link) => link.split('|').reverse() as [string, string]).sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  }
}

/** Parses "name|abbreviations|UTC offsets in minutes|index of the offset in each span|minutes of each span". */
function unpacked(text: string): [name: string, changes: Change[]] {
  const [name = '', , offsetTexts = '', places = '', steps = ''] = text.split('|')
  const offsets = offsetTexts.split(' ').map((offset) => Math.round(-base60(offset)) * 60_000)
  const changes: Change[] = []
  let from = Number.NEGATIVE_INFINITY
  let at = 0
  const lengths = steps === '' ? [] : steps.split(' ').map(base60)
  for (const [index, place] of [...places].entries()) {
    const offset = offsets[base60(place)]!
    if (from < TO) changes.push({ from, offset })
    at += lengths[index] ?? 0
    from = Math.round(at) * 60_000
  }
  const known = changes.filter(({ from }) => from >= FROM)
  const before = changes.filter(({ from }) => from < FROM).at(-1)
  return [name, [...(before ? [{ ...before, from: Number.NEGATIVE_INFINITY }] : []), ...known]]
}

/** Parses a base-60 number with the digits 0-9, a-z, A-X and an optional fraction. */
function base60(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  const digits = (part: string) => [...part].reduce((sum, digit) => sum * 60 + digitOf(digit), 0)
  return sign * (digits(whole) + digits(fraction) / 60 ** fraction.length)
}

function digitOf(digit: string): number {
  const value = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX'.indexOf(digit)
  if (value === -1) throw new Error(`no digit: ${digit}`)
  return value
}
