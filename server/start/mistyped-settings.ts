/**
 * Beginnings of names that nothing but this server has. Others of ours are not here: SQLITE_TMPDIR, SESSION_MANAGER, S3_BUCKET,
 * LOG_FORMAT and their like belong to other programs.
 */
const ownPrefixes = ['INGEST_', 'WAL_', 'FLUSH_', 'DEAD_LETTERS_', 'RETENTION_', 'SHUTDOWN_TIMEOUT']
/** Names of other programs that are a letter away from one of ours. */
const others = new Set([
  'HOSTS',
  'POST',
  'PORTS',
  'REPORT',
  'STATE',
  'STAGES',
  'RULE',
  'ROLES',
  'DEMOS',
  'LOGLEVEL',
  'LOG_LEVELS',
])
/** What Kubernetes and Docker put into every container for each service beside it. */
const ofServices = /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?$/
/** Below this length many words are two letters apart. */
const LONG = 8

/**
 * Settings of the environment that look like ours and are none: each with the known name that is nearest. A setting whose
 * name is mistyped would be passed over in silence, whatever it was to protect.
 */
export function mistypedSettings(
  environment: Record<string, string | undefined>,
  known: readonly string[],
): { name: string; nearest: string }[] {
  const ours = new Set(known)
  return Object.entries(environment).flatMap(([name, value]) => {
    if (value === undefined || value === '' || ours.has(name)) return []
    const isAddressOfService = ofServices.test(name) || /^(tcp|udp):\/\//.test(value)
    if (others.has(name) || isAddressOfService || !/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) return []
    const [nearest, distance] = nearestOf(name.toUpperCase().replaceAll('-', '_'), known)
    // Tools have small words of their own in the environment (PM2: name, watch, status); none of theirs has ours.
    if (name !== name.toUpperCase() && (distance > 0 || !name.includes('_'))) return []
    const isNear = distance <= (Math.min(name.length, nearest.length) < LONG ? 1 : 2)
    return isNear || ownPrefixes.some((prefix) => name.startsWith(prefix)) ? [{ name, nearest }] : []
  })
}

function nearestOf(name: string, known: readonly string[]): [nearest: string, distance: number] {
  let nearest = ''
  let least = Number.POSITIVE_INFINITY
  for (const each of known) {
    const distance = lettersApart(name, each)
    if (distance < least) [nearest, least] = [each, distance]
  }
  return [nearest, least]
}

/** Letters to add, take away, change, or exchange with their neighbor to make one of the other (optimal string alignment). */
function lettersApart(one: string, other: string): number {
  let before: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1]
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      const swapped = isSwapped ? before[j - 2]! + 1 : Number.POSITIVE_INFINITY
      row.push(Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (isSame ? 0 : 1), swapped))
    }
    ;[before, last] = [last, row]
  }
  return last[other.length]!
}
