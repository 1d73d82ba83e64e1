import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** The connections of a server, of which there are never more than so many. */
export interface BoundConnections {
  /** Whether it came when all others were busy: it is there for /health alone. */
  isReserved(socket: Socket): boolean
  /** A request came on it; to be ended once it is answered. */
  begin(socket: Socket): void
  end(socket: Socket): void
}

/** Connections kept free for /health, out of the most there may be. */
const RESERVED = 32
/** For the store, the log, and files that are served. */
const OTHER_FILES = 200

/**
 * At the bound the longest idle connection makes room for a new one, first of those that never sent a request: only
 * requests at work keep others out.
 */
export function boundConnections(server: Server, max: number): BoundConnections {
  const reserved = Math.min(RESERVED, Math.ceil(max / 8))
  const open = new Set<Socket>()
  /** In the order in which they fell idle. */
  const silent = new Set<Socket>()
  const idle = new Set<Socket>()
  const kept = new Set<Socket>()
  const requests = new Map<Socket, number>()

  function forget(socket: Socket): void {
    for (const set of [open, silent, idle, kept]) set.delete(socket)
    requests.delete(socket)
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
    begin(socket) {
      silent.delete(socket)
      idle.delete(socket)
      requests.set(socket, (requests.get(socket) ?? 0) + 1)
    },
    end(socket) {
      if (!open.has(socket)) return
      const left = (requests.get(socket) ?? 1) - 1
      if (left > 0) return void requests.set(socket, left)
      requests.delete(socket)
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
