import { hostname } from 'node:os'
import type { Freshness } from '../../trpc/schema/common.ts'
import type { Waiting, Wal } from '../ingest/wal/wal.ts'
import type { HeardLog, LogBoard, ToldLog } from '../store/store.ts'

const TELL_MS = 1000
/** A machine that told nothing for so long is gone; what waits in its log comes back with it. */
const GONE_MS = 60_000

/** What waits in the logs of other machines on the same store. */
export interface OtherLogs {
  /** Null where no other machine tells anything. */
  waiting(): Pick<Waiting, 'events' | 'oldestAt'> | null
  /** The same freshness, of all machines. */
  withOthers(own: Freshness): Freshness
  /** Of machines that are gone with events, or have a log whose process is, a sentence each. */
  troubles(): string[]
  close(): Promise<void>
}

export interface OtherLogsParts {
  /** Undefined in a store of one machine. */
  board: LogBoard | undefined
  wal: Pick<Wal, 'waiting' | 'elsewhere' | 'ackLevel'>
  /** The name of this data folder's log among all of the store. */
  folder: string
  /** Whether this process takes events itself. */
  takesEvents: boolean
  /** Events in logs of this folder whose processes have ended, where this one cannot take them over. */
  abandoned?: () => number
  now: () => number
  tellMs?: number
}

/** Tells the other machines each second what waits here, and hears what waits there. */
export function createOtherLogs(parts: OtherLogsParts): OtherLogs {
  const { board, wal, folder, takesEvents, abandoned = () => 0, now, tellMs = TELL_MS } = parts
  if (!board) return { waiting: () => null, withOthers: (own) => own, troubles: () => [], close: async () => {} }
  const survives = wal.ackLevel !== 'memory'
  // In memory each process has a log of its own, else those on a folder tell of the same.
  const name = survives ? folder : `${folder} ${process.pid}`
  /** Under which a process that only answers says that it is there. */
  const presence = takesEvents ? null : `${folder} answers ${hostname()} ${process.pid}`
  let heard: readonly HeardLog[] = []
  let heardAt = performance.now()
  let closing = false
  let timer: NodeJS.Timeout | null = null

  function news(): ToldLog | null {
    const own = wal.waiting()
    const beside = wal.elsewhere(now())
    // A process that only answers has nothing to tell, but of one beside it that may have been killed.
    if (!takesEvents && !beside && own.events === 0) return null
    const moments = [own.oldestAt, beside?.oldestAt ?? null].filter((at) => at !== null)
    const oldestMs = moments.length === 0 ? null : Math.max(0, now() - Math.min(...moments))
    const waiting = own.events + (beside?.events ?? 0)
    return { host: hostname(), waiting, oldestMs, survives, abandoned: abandoned(), answersOnly: false }
  }

  async function exchange(): Promise<void> {
    if (presence !== null) await board!.exchange(presence, present())
    const logs = (await board!.exchange(name, news())).filter(({ answersOnly }) => !answersOnly)
    heard = logs.filter(({ silentMs, waiting, survives }) => silentMs <= GONE_MS || (survives && waiting > 0))
    heardAt = performance.now()
  }

  async function turn(): Promise<void> {
    // While the store is away nothing is known but what was heard before, and that ages.
    await exchange().catch(() => {})
    if (!closing) timer = setTimeout(() => void begin(), tellMs).unref()
  }
  let running: Promise<void>
  function begin(): void {
    running = turn()
  }
  begin()

  /** Up to when a machine that told so is known to have nothing that the store lacks. */
  function momentOf({ silentMs, oldestMs }: HeardLog): number {
    const toldAt = Math.floor(now() - silentMs - (performance.now() - heardAt))
    return oldestMs === null ? toldAt : toldAt - oldestMs - 1
  }

  function waiting(): Pick<Waiting, 'events' | 'oldestAt'> | null {
    if (heard.length === 0) return null
    const waits = heard.filter(({ waiting }) => waiting > 0)
    return {
      events: waits.reduce((sum, each) => sum + each.waiting, 0),
      oldestAt: waits.length === 0 ? null : Math.min(...waits.map((each) => momentOf(each) + 1)),
    }
  }

  return {
    waiting,
    withOthers(own) {
      if (heard.length === 0) return own
      const completeTo = Math.min(Date.parse(own.completeTo), ...heard.map(momentOf))
      return { completeTo: new Date(completeTo).toISOString(), waiting: own.waiting + (waiting()?.events ?? 0) }
    },
    troubles: () =>
      heard
        .filter(({ silentMs, abandoned }) => silentMs > GONE_MS || abandoned > 0)
        .map(({ host, waiting, silentMs, abandoned }) =>
          silentMs > GONE_MS
            ? `The server on ${host} has not been heard of for ${Math.round(silentMs / 60_000)} minutes: ${waiting} events wait in its log.`
            : `The process that takes events on ${host} has ended: ${abandoned} events wait in its log until it is started again.`,
        ),
    async close() {
      closing = true
      await running
      if (timer) clearTimeout(timer)
      if (presence !== null) await board.leave(presence).catch(() => {})
      const last = news()
      await (last && last.waiting > 0 && survives ? board.exchange(name, last) : board.leave(name)).catch(() => {})
    },
  }
}

function present(): ToldLog {
  return { host: hostname(), waiting: 0, oldestMs: null, survives: false, abandoned: 0, answersOnly: true }
}
