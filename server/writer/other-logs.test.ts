import { expect, it, onTestFinished } from 'vitest'
import type { HeardLog, ToldLog } from '../store/store.ts'
import { createOtherLogs } from './other-logs.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const fresh = { completeTo: new Date(NOW).toISOString(), waiting: 1 }
const log = (more: Partial<HeardLog>): HeardLog => ({
  ...{ name: 'there', host: 'far', waiting: 0, oldestMs: null, survives: true, abandoned: 0, answersOnly: false },
  ...{ silentMs: 500, ...more },
})

interface Own {
  own?: { events: number; oldestAt: number | null }
  beside?: { events: number; oldestAt: number | null } | null
  ackLevel?: 'fsync' | 'memory'
  takesEvents?: boolean
  abandoned?: number
}

/** Among these others, whom it has heard once. */
async function among(
  others: HeardLog[],
  { own, beside = null, ackLevel = 'fsync', takesEvents = true, abandoned = 0 }: Own = {},
) {
  const told: [string, ToldLog | null][] = []
  const left: string[] = []
  const logs = createOtherLogs({
    board: {
      async exchange(name, news) {
        told.push([name, news])
        return others
      },
      leave: async (name) => void left.push(name),
    },
    wal: {
      ackLevel,
      waiting: () => ({ bytes: 0, ...(own ?? { events: 0, oldestAt: null }) }),
      elsewhere: () => beside,
    },
    folder: 'here',
    takesEvents,
    abandoned: () => abandoned,
    now: () => NOW,
    tellMs: 60_000,
  })
  onTestFinished(() => logs.close())
  await Promise.resolve()
  await expect.poll(() => told).toHaveLength(takesEvents ? 1 : 2)
  await new Promise(setImmediate)
  return { logs, told, left }
}

it('knows what waits on other machines, by how long it has waited there', async () => {
  const { logs } = await among([log({ waiting: 3, oldestMs: 4000 }), log({ waiting: 2, oldestMs: 100, silentMs: 900 })])
  const { completeTo, waiting } = logs.withOthers(fresh)
  expect(waiting).toBe(6)
  expect(Date.parse(completeTo)).toBeLessThan(NOW - 4500)
  expect(logs.waiting()?.events).toBe(5)
  expect(logs.waiting()?.oldestAt).toBeLessThan(NOW - 4499)
  expect(logs.troubles()).toEqual([])
})

it('vouches for another machine only up to when it was heard of', async () => {
  const { logs } = await among([log({ silentMs: 1500 })])
  expect(Date.parse(logs.withOthers(fresh).completeTo)).toBeLessThanOrEqual(NOW - 1500)
  expect(logs.withOthers(fresh).waiting).toBe(1)
  expect(logs.waiting()).toEqual({ events: 0, oldestAt: null })
})

it('does not forget what waits on a machine that is gone, and says so', async () => {
  const silentMs = 180_000
  const { logs } = await among([
    log({ host: 'kept', waiting: 7, oldestMs: 10, silentMs }),
    log({ host: 'empty', silentMs }),
    log({ host: 'memory', waiting: 9, oldestMs: 10, survives: false, silentMs }),
  ])
  expect(logs.waiting()?.events).toBe(7)
  expect(logs.troubles()).toEqual(['The server on kept has not been heard of for 3 minutes: 7 events wait in its log.'])
})

it('alone it changes nothing', async () => {
  const { logs } = await among([])
  expect(logs.withOthers(fresh)).toBe(fresh)
  expect(logs.waiting()).toBeNull()
})

it('tells of the whole folder, under a name that its processes share', async () => {
  const { told } = await among([], {
    own: { events: 2, oldestAt: NOW - 50 },
    beside: { events: 3, oldestAt: NOW - 80 },
  })
  const more = { abandoned: 0, answersOnly: false }
  expect(told).toEqual([['here', { host: expect.any(String), waiting: 5, oldestMs: 80, survives: true, ...more }]])
})

it('tells of a log in memory under a name of its own, which goes with it', async () => {
  const own = { events: 2, oldestAt: NOW - 50 }
  const { logs, told, left } = await among([], { own, ackLevel: 'memory' })
  expect(told).toEqual([[`here ${process.pid}`, expect.objectContaining({ waiting: 2, survives: false })]])
  await logs.close()
  expect(left).toEqual([`here ${process.pid}`])
})

it('leaves the word that events still wait when it ends before they are stored', async () => {
  const { logs, told, left } = await among([], { own: { events: 2, oldestAt: NOW - 50 } })
  await logs.close()
  expect(told).toHaveLength(2)
  expect(left).toEqual([])
})

it('a process that only answers says that it is there, and tells of the log beside it and of none of its own', async () => {
  const own = [expect.stringMatching(/^here answers /), expect.objectContaining({ answersOnly: true, waiting: 0 })]
  const { logs, told, left } = await among([], { takesEvents: false })
  expect(told).toEqual([own, ['here', null]])
  await logs.close()
  expect(left).toEqual([told[0]![0], 'here'])
  const beside = { events: 3, oldestAt: NOW - 80 }
  expect((await among([], { takesEvents: false, beside, abandoned: 2 })).told).toEqual([
    own,
    ['here', expect.objectContaining({ waiting: 3, oldestMs: 80, abandoned: 2, answersOnly: false })],
  ])
})

it('takes the word of a server that only answers for no log', async () => {
  const { logs } = await among([log({ answersOnly: true, silentMs: 5000 })])
  expect(logs.withOthers(fresh)).toBe(fresh)
  expect(logs.waiting()).toBeNull()
})

it('says that events wait on a machine whose process that takes them has ended', async () => {
  const { logs } = await among([log({ host: 'split', waiting: 4, oldestMs: 9000, abandoned: 4 })])
  expect(logs.troubles()).toEqual([
    'The process that takes events on split has ended: 4 events wait in its log until it is started again.',
  ])
})
