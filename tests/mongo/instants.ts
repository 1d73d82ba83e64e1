import { type AddressInfo, createServer, type Server, type Socket, connect as toServer } from 'node:net'
import { BSON, Timestamp } from 'mongodb'

/** A proxy for a server without logical times: adds an increasing operationTime to every answer. */
export interface Instants {
  /** "host:port" of the proxy. */
  place: string
  last(): Timestamp
  close(): Promise<void>
}

const HEADER_BYTES = 16
const OP_MSG = 2013
/** Offset of the body in an OP_MSG: after the header, the flags and the kind of its only section. */
const BODY_AT = HEADER_BYTES + 5

export async function startInstants(host: string, port: number): Promise<Instants> {
  let count = 0
  const sockets = new Set<Socket>()
  const instant = (at: number) => Timestamp.fromBits(at, 1_800_000_000)

  /** Adds the next operationTime to each complete message; `rest` is the start of an incomplete one. */
  function withInstants(bytes: Buffer): { messages: Buffer[]; rest: Buffer } {
    const messages: Buffer[] = []
    let at = 0
    for (; at + HEADER_BYTES <= bytes.length; ) {
      const length = bytes.readInt32LE(at)
      if (at + length > bytes.length) break
      const message = bytes.subarray(at, at + length)
      at += length
      if (message.readInt32LE(12) !== OP_MSG) messages.push(message)
      else {
        count += 1
        const answer = BSON.deserialize(message.subarray(BODY_AT), { raw: false, promoteValues: false })
        const body = BSON.serialize({ ...answer, operationTime: instant(count) })
        const head = Buffer.from(message.subarray(0, BODY_AT))
        head.writeInt32LE(BODY_AT + body.length, 0)
        messages.push(head, Buffer.from(body))
      }
    }
    return { messages, rest: bytes.subarray(at) }
  }

  const server: Server = createServer((client) => {
    const database = toServer(port, host)
    let rest: Buffer = Buffer.alloc(0)
    client.pipe(database)
    database.on('data', (bytes) => {
      const read = withInstants(Buffer.concat([rest, bytes]))
      rest = read.rest
      for (const message of read.messages) client.write(message)
    })
    for (const [socket, other] of [
      [client, database],
      [database, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    place: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    last: () => instant(count),
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
