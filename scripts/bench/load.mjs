/**
 * Posts events over keep-alive connections as fast as they are answered, one request at a time on each. A process of
 * its own: it is told what to do by messages { port, connections, eventsPerPost, windowMs, run } and answers each
 * with { requests, accepted, refused, failed, elapsedMs, cpuUs }.
 */
import { connect } from 'node:net'

let posted = 0

/** A request whose event ids no other request has. */
function request(run, eventsPerPost) {
  const first = posted
  posted += eventsPerPost
  const events = []
  for (let i = first; i < posted; i++)
    events.push(
      `{"eventId":"${run}-${i}","userId":"user_${i % 5000}","sessionId":"s_${i % 20_000}","type":"page_view","payload":{"url":"https://www.nordlicht.example/p/${i % 40}","title":"Fjell 2 tent"}}`,
    )
  const body = eventsPerPost === 1 ? events[0] : `[${events.join(',')}]`
  return `POST /events HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: veritas-bench\r\nAccept: */*\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

function measure({ port, connections, eventsPerPost, windowMs, run }) {
  return new Promise((resolve) => {
    const counts = { requests: 0, accepted: 0, refused: 0, failed: 0 }
    const started = performance.now()
    const cpu = process.cpuUsage()
    let open = connections

    function drive() {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      socket.setEncoding('latin1')
      let answer = ''
      let waiting = false
      const send = () => {
        if (performance.now() - started >= windowMs) return socket.end()
        waiting = true
        socket.write(request(run, eventsPerPost))
      }
      socket.on('connect', send)
      socket.on('data', (text) => {
        answer += text
        const head = answer.indexOf('\r\n\r\n')
        if (head === -1) return
        const length = /content-length: (\d+)/i.exec(answer.slice(0, head))
        if (!length) throw new Error(`An answer without Content-Length: ${answer.slice(0, head)}`)
        if (answer.length < head + 4 + Number(length[1])) return
        const status = answer.slice(9, 12)
        answer = ''
        waiting = false
        counts.requests += 1
        if (status === '202') counts.accepted += eventsPerPost
        else if (status === '429' || status === '503') counts.refused += 1
        else counts.failed += 1
        send()
      })
      socket.on('error', () => {})
      socket.on('close', () => {
        if (waiting) counts.failed += 1
        open -= 1
        if (open > 0) return
        const { user, system } = process.cpuUsage(cpu)
        resolve({ ...counts, elapsedMs: performance.now() - started, cpuUs: user + system })
      })
    }
    for (let i = 0; i < connections; i++) drive()
  })
}

process.on('message', async (order) => process.send(await measure(order)))
process.on('disconnect', () => process.exit())
