import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

/** The connections of a server, to find those that nothing comes from while it ends. */
export interface QuietConnections {
  /**
   * Ends those that were seen without a byte in or out for quietMs, but for those whose request is being answered:
   * they stopped in the middle of a request, or never made one. Sent again, it meets the next process.
   */
  end(open: Iterable<IncomingMessage>, now: number): void
}

export function watchConnections(server: Server, quietMs: number): QuietConnections {
  const sockets = new Set<Socket>()
  const seen = new WeakMap<Socket, { bytes: number; since: number }>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return {
    end(open, now) {
      const answered = new Set<Socket>()
      for (const { complete, socket } of open) if (complete) answered.add(socket)
      for (const socket of sockets) {
        const bytes = socket.bytesRead + socket.bytesWritten
        const before = seen.get(socket)
        if (answered.has(socket) || before?.bytes !== bytes) seen.set(socket, { bytes, since: now })
        else if (now - before.since >= quietMs) socket.destroy()
      }
    },
  }
}
