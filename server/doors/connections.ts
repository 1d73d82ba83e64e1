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

/** Connections kept free for /health, out of the most there may be. */
const RESERVED = 32
/** For the store, the log, and files that are served. */
const OTHER_FILES = 200

/**
 * At the bound the longest idle connection makes room for a new one, first of those that never sent a request: only
 * requests at work keep others out. Of requests that a client sends on one connection without waiting for answers,
 * `maxPipelined` are taken. When the connection closes, all of their answers have closed.
 */
export function boundConnections(server: Server, max: number, maxPipelined: number): BoundConnections {
  const reserved = Math.min(RESERVED, Math.ceil(max / 8))
  const open = new Set<Socket>()
  /** In the order in which they fell idle. */
  const silent = new Set<Socket>()
  const idle = new Set<Socket>()
  const kept = new Set<Socket>()
  /** In the order in which they came. */
  const underWay = new Map<Socket, ServerResponse[]>()
  const waiting = new WeakMap<ServerResponse, (isTurn: boolean) => void>()

  function forget(socket: Socket): void {
    for (const set of [open, silent, idle, kept]) set.delete(socket)
    const answers = underWay.get(socket)
    underWay.delete(socket)
    for (const res of answers ?? []) {
      waiting.get(res)?.(false)
      // Node closes the answer that has the connection, and says nothing to those that wait behind it.
      if (res.socket || res.closed) continue
      res.destroy()
      res.emit('close')
    }
  }

  function makeRoom(): boolean {
    const [longest] = silent.size > 0 ? silent : idle
    if (!longest) return false
    forget(longest)
    longest.destroy()
    return true
  }

  server.on('connection', (socket: Socket) => {
    if (open.size >= max - reserved && !makeRoom()) {
      if (open.size >= max) return void socket.destroy()
      kept.add(socket)
    }
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
      if (!before) underWay.set(socket, [res])
      else if (before.length < maxPipelined) before.push(res)
      else {
        socket.destroy()
        return false
      }
      return true
    },
    turn(socket, res) {
      const answers = underWay.get(socket)
      if (answers?.[0] === res) return true
      if (!answers) return Promise.resolve(false)
      return new Promise((resolve) => waiting.set(res, resolve))
    },
    end(socket, res) {
      const answers = underWay.get(socket)
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
