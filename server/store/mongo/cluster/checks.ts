import type { Document } from 'mongodb'
import { addMonths, monthName, monthOf } from '../../../analysis/months.ts'

/** What an operator should know of a deployment. `bad` is a reason to do something today. */
export interface Check {
  name: string
  state: 'good' | 'look' | 'bad'
  text: string
}

export type Topology = 'standalone' | 'replica set' | 'sharded'

const MIN_MAJOR = 5
const MAX_SKEW_MS = 5000
const MAX_LAG_MS = 60_000
const MEGABYTE = 1024 * 1024

export function topologyOf(hello: Document): Topology {
  if (hello.msg === 'isdbgrid') return 'sharded'
  return typeof hello.setName === 'string' ? 'replica set' : 'standalone'
}

export function checkVersion({ version }: Document): Check {
  const isOld = Number.parseInt(String(version), 10) < MIN_MAJOR
  return {
    name: 'version',
    state: isOld ? 'look' : 'good',
    text: `${version}${isOld ? ': older than 5.0 is not tested' : ''}`,
  }
}

export function checkTopology(hello: Document): Check {
  const name = 'deployment'
  const topology = topologyOf(hello)
  if (topology === 'standalone')
    return {
      name,
      state: 'look',
      text: 'standalone: it loses what its disk loses and cannot repeat writes by itself; a replica set, be it of one member, is better',
    }
  if (topology === 'sharded') return { name, state: 'good', text: 'sharded cluster' }
  const members = Array.isArray(hello.hosts) ? hello.hosts.length : 1
  const note = members === 1 ? ' of one member: it survives a restart and no lost disk' : ` of ${members} members`
  return { name, state: hello.isWritablePrimary ? 'good' : 'bad', text: `replica set ${hello.setName}${note}` }
}

/** `answer` is null where the server does not tell. */
export function checkWriteConcern(answer: Document | null): Check {
  const concern = answer?.defaultWriteConcern as Document | undefined
  const own = 'Veritas itself writes with w: majority, j: true'
  return { name: 'write concern', state: 'good', text: concern ? `default ${JSON.stringify(concern)}; ${own}` : own }
}

/** The server's clock between two readings of ours, epoch milliseconds. */
export function checkClock(before: number, server: number, after: number): Check {
  const skew = server < before ? server - before : server > after ? server - after : 0
  const isFar = Math.abs(skew) > MAX_SKEW_MS
  return {
    name: 'clock',
    state: isFar ? 'look' : 'good',
    text: skew === 0 ? 'as ours' : `${Math.abs(Math.round(skew))} ms ${skew > 0 ? 'ahead of' : 'behind'} ours`,
  }
}

/** `missing` as "collection {key}". */
export function checkIndexes(missing: readonly string[]): Check {
  const text = missing.length === 0 ? 'all there' : `missing: ${missing.join(', ')}; run npm run mongo -- init`
  return { name: 'indexes', state: missing.length === 0 ? 'good' : 'bad', text }
}

/** Batches that are begun or finished and not in the figures, and since when the oldest is, epoch milliseconds. */
export function checkFolds(
  { phase, applied }: { phase: string; applied: number },
  { batches, oldestAt }: { batches: number; oldestAt: number | null },
  now: number,
): Check {
  const lagMs = oldestAt === null ? 0 : Math.max(0, now - oldestAt)
  const waiting =
    batches === 0 ? 'nothing waits' : `${batches} batches wait, the oldest for ${Math.round(lagMs / 1000)} s`
  return { name: 'folds', state: lagMs > MAX_LAG_MS ? 'look' : 'good', text: `${applied} done, ${phase}; ${waiting}` }
}

/** Unfinished batches whose processes have not been heard of for long. */
export function checkLeft(ids: readonly string[]): Check {
  const text =
    ids.length === 0
      ? 'each that is begun has its process'
      : `${ids.length} left by processes that are gone: ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ' …' : ''}; a running server brings them to their end within a minute, npm run mongo -- finish at once`
  return { name: 'batches', state: ids.length === 0 ? 'good' : 'look', text }
}

export function checkSize({ dataSize, storageSize, indexSize, objects }: Document): Check {
  const megabytes = (bytes: unknown) => Math.round(Number(bytes ?? 0) / MEGABYTE).toLocaleString('en')
  return {
    name: 'size',
    state: 'good',
    text: `${Number(objects ?? 0).toLocaleString('en')} documents, ${megabytes(dataSize)} MB of data, ${megabytes(storageSize)} MB stored, ${megabytes(indexSize)} MB of indexes`,
  }
}

/** Collections that should be spread over the shards, and those that are; null where the server does not tell. */
export function checkShards(wanted: readonly string[], sharded: ReadonlySet<string> | null, now: number): Check {
  if (!sharded) return { name: 'shards', state: 'look', text: 'not told: the account needs the role clusterMonitor' }
  const missing = wanted.filter((collection) => !sharded.has(collection))
  const next = `events_${addMonths(monthOf(now), 1)}`
  const text =
    missing.length === 0
      ? `${wanted.length} collections are spread, months up to ${monthName(addMonths(monthOf(now), 1))} included`
      : `on one shard: ${missing.join(', ')}; run npm run mongo -- shard --run`
  return {
    name: 'shards',
    state: missing.length === 0 ? 'good' : missing.every((name) => name === next) ? 'look' : 'bad',
    text,
  }
}
