import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { watchConnections } from './quiet-connections.ts'

const QUIET_MS = 1500

function watched() {
  const server = new EventEmitter()
  const quiet = watchConnections(server as Server, QUIET_MS)
  let now = 1e12
  const connect = () => {
    const socket = Object.assign(new EventEmitter(), { bytesRead: 0, bytesWritten: 0, isEnded: false })
    const destroy = () => {
      socket.isEnded = true
    }
    server.emit('connection', Object.assign(socket, { destroy }))
    return socket
  }
  /** Looks every ten milliseconds for that long. */
  const look = (forMs: number, open: IncomingMessage[] = []) => {
    for (let passed = 0; passed < forMs; passed += 10) {
      now += 10
      quiet.end(open, now)
    }
  }
  const standStill = (forMs: number) => {
    now += forMs
  }
  return { connect, look, standStill }
}

const requestOf = (socket: object, complete: boolean) =>
  ({ socket: socket as Socket, complete }) as Partial<IncomingMessage> as IncomingMessage

describe('connections of a server that ends', () => {
  it('are ended once nothing came or went for as long as they may be quiet', () => {
    const { connect, look } = watched()
    const socket = connect()
    look(QUIET_MS)
    expect(socket.isEnded).toBe(false)
    look(20)
    expect(socket.isEnded).toBe(true)
  })

  it('are left while their client goes on sending, or they go on answering', () => {
    const { connect, look } = watched()
    const [sending, reading] = [connect(), connect()]
    for (let step = 0; step < 5; step++) {
      look(QUIET_MS - 100)
      sending.bytesRead += 10
      reading.bytesWritten += 10
    }
    expect([sending.isEnded, reading.isEnded]).toEqual([false, false])
  })

  it('are left while a whole request is being answered, and not while half of one is there', () => {
    const { connect, look } = watched()
    const [whole, half] = [connect(), connect()]
    look(2 * QUIET_MS, [requestOf(whole, true), requestOf(half, false)])
    expect([whole.isEnded, half.isEnded]).toEqual([false, true])
  })

  it('are not taken for quiet because the server itself was held up', () => {
    const { connect, look, standStill } = watched()
    const socket = connect()
    look(1000)
    standStill(60_000)
    look(20)
    expect(socket.isEnded).toBe(false)
    look(QUIET_MS)
    expect(socket.isEnded).toBe(true)
  })
})
