import { readFileSync } from 'node:fs'
import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** The connections of a server, of which there are never more than so many. */
export interface BoundConnections {
  /** Whether it came when all others were busy: it is there for /health alone. */
  isReserved(socket: Socket): boolean
  /**
   * A request came on it; to be ended once its answer has closed. False when there are as many of them under way on it
   * as there may be: the connection was closed.
   */
  begin(socket: Socket, res: ServerResponse): boolean
  /** True once those that came before on the connection are answered; false when it has closed meanwhile. */
  turn(socket: Socket, res: ServerResponse): true | Promise<boolean>
  end(socket: Socket, res: ServerResponse): void
}

/** A connection with requests. */
interface UnderWay {
  /** In the order in which they came. */
  answers: ServerResponse[]
  /** That had gone through it when it was looked at last, and since when it was so many. */
  bytes: number
  at: number
}

/** Connections kept free for /health, out of the most there may be. */
const RESERVED = 32
/** Between two looks at which connections wait for their clients, while new ones come at the bound. */
const LOOK_MS = 100
/** A look at very many connections takes a while; of all time it takes no more than one part in so many. */
const LOOK_SHARE = 20
/** What a look found is not held in memory after those that come have stopped. */
const FORGET_MS = 1000
/** For the store, the log, and files that are served. */
const OTHER_FILES = 200

/**
 * At the bound one of those that wait for their client makes room for a new one: of the connections that never sent a
 * request, those between requests, and those in the middle of a body or an answer, the kind of which there are most gives
 * the one that was longest without a byte. Only requests that the server works on keep others out. Of requests that a
 * client sends on one connection without waiting for answers, `maxPipelined` are taken. When the connection closes, all of
 * their answers have closed.
 */
export function boundConnections(
  server: Server,
  max: number,
  maxPipelined: number,
  now = () => performance.now(),
): BoundConnections {
  const reserved = Math.min(RESERVED, Math.ceil(max / 8))
  const open = new Set<Socket>()
  /** In the order in which they fell idle. */
  const silent = new Set<Socket>()
  const idle = new Set<Socket>()
  const kept = new Set<Socket>()
  const underWay = new Map<Socket, UnderWay>()
  const waiting = new WeakMap<ServerResponse, (isTurn: boolean) => void>()
  const stalled = findStalled(underWay, now)

  function forget(socket: Socket): void {
    for (const set of [open, silent, idle, kept]) set.delete(socket)
    const answers = underWay.get(socket)?.answers
    underWay.delete(socket)
    for (const res of answers ?? []) {
      waiting.get(res)?.(false)
      // Node closes the answer that has the connection, and says nothing to those that wait behind it.
      if (res.socket || res.closed) continue
      res.destroy()
      res.emit('close')
    }
  }

  /** One of all that are not kept, or of those that are. */
  function makeRoom(amongKept: boolean): boolean {
    const isAmong = (socket: Socket) => kept.has(socket) === amongKept
    const inTheMiddle = stalled.look()
    const kinds = [
      { count: silent.size, next: () => first(silent, isAmong) },
      { count: idle.size, next: () => first(idle, isAmong) },
      { count: inTheMiddle, next: () => stalled.next(isAmong) },
    ].sort((one, other) => other.count - one.count)
    for (const { next } of kinds) {
      const longest = next()
      if (!longest) continue
      forget(longest)
      longest.destroy()
      return true
    }
    return false
  }

  /** Whether there is a place for it; those for /health are taken when there is no other. */
  function hasPlace(socket: Socket): boolean {
    if (open.size - kept.size < max - reserved || makeRoom(false)) return true
    if (open.size >= max && !makeRoom(true)) return false
    kept.add(socket)
    return true
  }

  server.on('connection', (socket: Socket) => {
    if (!hasPlace(socket)) return void socket.destroy()
    open.add(socket)
    silent.add(socket)
    socket.once('close', () => forget(socket))
  })

  return {
    isReserved: (socket) => kept.has(socket),
    begin(socket, res) {
      silent.delete(socket)
      idle.delete(socket)
      const before = underWay.get(socket)
      if (!before) underWay.set(socket, { answers: [res], bytes: bytesThrough(socket), at: now() })
      else if (before.answers.length < maxPipelined) before.answers.push(res)
      else {
        socket.destroy()
        return false
      }
      return true
    },
    turn(socket, res) {
      const answers = underWay.get(socket)?.answers
      if (answers?.[0] === res) return true
      if (!answers) return Promise.resolve(false)
      return new Promise((resolve) => waiting.set(res, resolve))
    },
    end(socket, res) {
      const answers = underWay.get(socket)?.answers
      const place = answers?.indexOf(res) ?? -1
      if (!answers || place === -1) return
      answers.splice(place, 1)
      const [next] = answers
      if (next) return waiting.get(next)?.(true)
      underWay.delete(socket)
      idle.add(socket)
    },
  }
}

/** The sockets of a list are passed by until one is found; those that are kept are few. */
function first(sockets: Iterable<Socket>, isWanted: (socket: Socket) => boolean): Socket | undefined {
  for (const socket of sockets) if (isWanted(socket)) return socket
  return undefined
}

/** Of connections with requests under way, those that wait for their client: for more of a body, or to take an answer. */
function findStalled(underWay: ReadonlyMap<Socket, UnderWay>, now: () => number) {
  /** Those of the last look, longest without a byte last. */
  let found: Socket[] = []
  let forgetting: NodeJS.Timeout | undefined
  let nextLookAt = Number.NEGATIVE_INFINITY

  function waits({ answers: [res] }: UnderWay): boolean {
    return res !== undefined && (!res.req.complete || res.writableEnded || res.writableNeedDrain)
  }

  /** How many there are. */
  function look(): number {
    const startedAt = now()
    if (startedAt < (found.length > 0 ? nextLookAt : nextLookAt - LOOK_MS)) return found.length
    const waiting: [Socket, UnderWay][] = []
    for (const [socket, state] of underWay) {
      const bytes = bytesThrough(socket)
      if (bytes !== state.bytes) Object.assign(state, { bytes, at: startedAt })
      if (waits(state)) waiting.push([socket, state])
    }
    // Among those of one moment the first to come is the first to go.
    found = waiting
      .reverse()
      .sort(([, one], [, other]) => other.at - one.at)
      .map(([socket]) => socket)
    nextLookAt = startedAt + LOOK_MS + Math.min(LOOK_MS, LOOK_SHARE * (now() - startedAt))
    clearTimeout(forgetting)
    forgetting = setTimeout(() => {
      found = []
    }, FORGET_MS).unref()
    return found.length
  }

  /** The longest without a byte, unless one came since. */
  function take(isWanted: (socket: Socket) => boolean): Socket | undefined {
    for (let index = found.length - 1; index >= 0; index--) {
      const socket = found[index]!
      if (!isWanted(socket)) continue
      found.splice(index, 1)
      const state = underWay.get(socket)
      if (state && waits(state) && state.bytes === bytesThrough(socket)) return socket
    }
    return undefined
  }

  return {
    look,
    next: (isWanted: (socket: Socket) => boolean) => take(isWanted) ?? (look() > 0 ? take(isWanted) : undefined),
  }
}

/** What came in and what the other end took. */
function bytesThrough(socket: Socket): number {
  const { _handle: handle } = socket as { _handle?: { writeQueueSize?: number } }
  return socket.bytesRead + socket.bytesWritten - (handle?.writeQueueSize ?? 0)
}

/** As many as are asked for, or as the system lets this process have beside its files. */
export function mostConnections(asked: number, openFiles = openFilesLimit()): number {
  return openFiles === null ? asked : Math.max(16, Math.min(asked, openFiles - OTHER_FILES))
}

/** null where the system does not say. */
function openFilesLimit(): number | null {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return limit === undefined ? null : Number(limit)
  } catch {
    return null
  }
}
