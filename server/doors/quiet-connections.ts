import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

/** The connections of a server, to find those that nothing comes from while it ends. */
export interface QuietConnections {
  /**
   * Ends those that were seen without a byte in or out for quietMs, but for those whose request is being answered:
   * they stopped in the middle of a request, or never made one. Sent again, it meets the next process. To be called
   * every few milliseconds.
   */
  end(open: Iterable<IncomingMessage>, now: number): void
}

/** The most that lies between two looks. A process that was held up for longer has yet to read what came meanwhile. */
const LOOK_MS = 25

export function watchConnections(server: Server, quietMs: number): QuietConnections {
  const sockets = new Set<Socket>()
  const seen = new WeakMap<Socket, { bytes: number; quietForMs: number }>()
  let lookedAt = Number.NEGATIVE_INFINITY
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return {
    end(open, now) {
      const passedMs = Math.max(0, Math.min(LOOK_MS, now - lookedAt))
      lookedAt = now
      const answered = new Set<Socket>()
      for (const { complete, socket } of open) if (complete) answered.add(socket)
      for (const socket of sockets) {
        const bytes = socket.bytesRead + socket.bytesWritten
        const before = seen.get(socket)
        if (answered.has(socket) || before?.bytes !== bytes) seen.set(socket, { bytes, quietForMs: 0 })
        else {
          before.quietForMs += passedMs
          if (before.quietForMs >= quietMs) socket.destroy()
        }
      }
    },
  }
}
