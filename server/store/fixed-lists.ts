import { randomUUID } from 'node:crypto'
import { AppError } from '../errors.ts'
import type { FixedUsers } from './store.ts'

/** Kept for whoever walks through one; a list is a file and no more than its index in memory. */
const MAX_LISTS = 16
/** Of one account or token: the rest is for others. */
const MAX_OF_READER = 4
const IDLE_MS = 10 * 60_000
/** Where there are too many, one that was not asked for so long goes. */
const SHORT_IDLE_MS = 30_000
/** Each holds an engine to one state while it is made, or its rows in memory. */
const MADE_AT_ONCE = 2
/** Whoever waits for longer until one is made is asked to come back. */
const PATIENCE_MS = 30_000

interface List<About> {
  reader: string
  about: About
  users: FixedUsers
  usedAt: number
  /** Its last page was given once. */
  isRead: boolean
}

/** Lists that do not change while somebody goes through their pages. They are this process's, and end with it. */
export interface FixedLists<About> {
  /**
   * Makes a list for a reader, an account or a token, and keeps it under a new id. AppError rate_limited when they have
   * too many under way, unavailable when all together have.
   */
  keep(reader: string, about: About, make: () => Promise<FixedUsers>): Promise<string>
  /** AppError conflict when it is not kept (any more), or is not what is asked about. */
  find(id: string, isAsked?: (about: About) => boolean): { users: FixedUsers; about: About }
  /** Its last page was given: it is the first to go where there is no room. */
  wasRead(id: string): void
  /** Gives a list of the reader back. One that is not kept any more is none to speak of. */
  giveBack(id: string, reader: string): Promise<void>
  close(): Promise<void>
}

function tooMany(): AppError {
  return new AppError('unavailable', 'Too many lists of users are being read or exported. Try again in a moment.', {
    ...{ isForClients: true, retryAfterSeconds: 10 },
  })
}

export function createFixedLists<About>(now: () => number): FixedLists<About> {
  // Those used last are at the end.
  const lists = new Map<string, List<About>>()
  /** Readers of lists that are being made or wait for it. */
  const making: string[] = []
  const turns: (() => void)[] = []
  let isMade = 0

  async function drop(id: string): Promise<void> {
    const list = lists.get(id)
    lists.delete(id)
    await list?.users.close()
  }

  function idleMs({ usedAt, isRead }: List<About>): number {
    return isRead ? Number.POSITIVE_INFINITY : now() - usedAt
  }

  /** Takes a place for a reader, of a list that nobody has asked for in a while where there is none. */
  function takePlace(reader: string): void {
    for (const [id, { usedAt }] of lists) if (now() - usedAt > IDLE_MS) void drop(id)
    const own = () => [...lists].filter(([, list]) => list.reader === reader)
    const isFull = () => lists.size + making.length >= MAX_LISTS
    const hasTooMany = () => own().length + making.filter((each) => each === reader).length >= MAX_OF_READER
    const makeRoom = (from: [string, List<About>][]) => {
      const [oldest] = from.sort(([, a], [, b]) => Number(b.isRead) - Number(a.isRead) || a.usedAt - b.usedAt)
      if (oldest && idleMs(oldest[1]) > SHORT_IDLE_MS) void drop(oldest[0])
    }
    if (hasTooMany()) makeRoom(own())
    if (hasTooMany())
      throw new AppError(
        'rate_limited',
        `${MAX_OF_READER} lists of users are being read or exported for you already, as many as one account or token may have. Try again when one is done.`,
        { retryAfterSeconds: 10 },
      )
    if (isFull()) makeRoom([...lists])
    if (isFull()) throw tooMany()
    making.push(reader)
  }

  /** As many at once as may be; the others wait for their turn, a while. */
  async function inTurn<T>(make: () => Promise<T>): Promise<T> {
    if (isMade >= MADE_AT_ONCE) await turn()
    else isMade += 1
    try {
      return await make()
    } finally {
      const next = turns.shift()
      if (next) next()
      else isMade -= 1
    }
  }

  function turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        turns.splice(turns.indexOf(begin), 1)
        reject(tooMany())
      }, PATIENCE_MS)
      const begin = () => {
        clearTimeout(timer)
        resolve()
      }
      turns.push(begin)
    })
  }

  return {
    async keep(reader, about, make) {
      takePlace(reader)
      try {
        const users = await inTurn(make)
        const id = randomUUID()
        lists.set(id, { reader, about, users, usedAt: now(), isRead: false })
        return id
      } finally {
        making.splice(making.indexOf(reader), 1)
      }
    },
    find(id, isAsked = () => true) {
      const list = lists.get(id)
      if (!list || !isAsked(list.about))
        throw new AppError(
          'conflict',
          'This list is not kept any more (after ten minutes without a question, or when the server is started again); leave cursor out to begin a new one.',
          { field: 'cursor' },
        )
      list.usedAt = now()
      lists.delete(id)
      lists.set(id, list)
      return list
    },
    wasRead(id) {
      const list = lists.get(id)
      if (list) list.isRead = true
    },
    async giveBack(id, reader) {
      if (lists.get(id)?.reader === reader) await drop(id)
    },
    async close() {
      for (const id of [...lists.keys()]) await drop(id)
    },
  }
}
