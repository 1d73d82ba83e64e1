import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** Everything received on one connection. */
export interface Talk {
  answers: Answer[]
  /** Bytes that are not a complete answer. */
  rest: string
  /** False if the server kept the connection open longer than any of its limits. */
  ended: boolean
}

/** Bytes to send, or a function that uses the connection. */
export type Script = string | Buffer | ((socket: Socket) => Promise<void> | void)

/** Longer than all of the server's timeouts, even on a busy machine. */
const PATIENCE_MS = 60_000

/** Sends raw bytes, as no client library would, and collects all answers until the server closes the connection. */
export async function talk(port: number, script: Script, { isHead = false } = {}): Promise<Talk> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part))
  const over = new Promise<boolean>((resolve) => {
    for (const event of ['error', 'end', 'close'] as const) socket.once(event, () => resolve(true))
  })
  const opened = new Promise<void>((resolve) => {
    socket.once('connect', () => resolve())
    socket.once('error', () => resolve())
  })
  await opened
  if (typeof script === 'function') await script(socket)
  else socket.write(script)
  const patience = new AbortController()
  const ended = await Promise.race([over, sleep(PATIENCE_MS, false, { signal: patience.signal }).catch(() => false)])
  patience.abort()
  socket.destroy()
  return { ...readAnswers(Buffer.concat(parts).toString('latin1'), isHead), ended }
}

/** Splits a connection's data into HTTP answers. */
function readAnswers(text: string, isHead = false): Pick<Talk, 'answers' | 'rest'> {
  const answers: Answer[] = []
  let rest = text
  for (;;) {
    const head = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/.exec(rest)
    if (!head) return { answers, rest }
    const status = Number(head[1])
    const headers = Object.fromEntries(
      head[2]!
        .split('\r\n')
        .filter(Boolean)
        .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    )
    const after = rest.slice(head[0].length)
    if (status === 100) {
      answers.push({ status, headers, body: '' })
      rest = after
      continue
    }
    const hasNone = isHead || status === 204 || status === 304
    const framed = hasNone ? { body: '', length: 0 } : bodyOf(after, headers)
    if (!framed) return { answers, rest }
    answers.push({ status, headers, body: Buffer.from(framed.body, 'latin1').toString('utf8') })
    rest = after.slice(framed.length)
  }
}

function bodyOf(text: string, headers: Record<string, string>): { body: string; length: number } | null {
  if (headers['transfer-encoding'] === 'chunked') {
    let body = ''
    for (let at = 0; ; ) {
      const size = /^([0-9a-f]+)\r\n/i.exec(text.slice(at))
      if (!size) return null
      const length = Number.parseInt(size[1]!, 16)
      at += size[0].length
      if (text.length < at + length + 2) return null
      body += text.slice(at, at + length)
      at += length + 2
      if (length === 0) return { body, length: at }
    }
  }
  const length = headers['content-length'] === undefined ? text.length : Number(headers['content-length'])
  return text.length < length ? null : { body: text.slice(0, length), length }
}
