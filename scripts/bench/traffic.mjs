/**
 * Posts events over keep-alive connections, one request at a time on each. A process of its own: it is told what to do
 * by messages and answers each with what came of it.
 *
 * Order: { port, run, kind, eventsPerPost, windowMs, connections, rate }. Without a rate every connection sends its next
 * post when the last is answered; with a rate (requests per second) posts leave at their time on whichever connection
 * is free, however slow the answers are, and those that find none free are counted as unsent.
 * `timeline: true` adds when events were accepted, as [epoch ms, events] of each answer.
 *
 * Latencies are in milliseconds from the moment a post was written to the last byte of its answer.
 */
import { connect } from 'node:net'
import { createShoppers } from './shoppers.mjs'

const shoppers = new Map()

/** The same shoppers over all windows of a run: no two events have one id. */
function shoppersOf(kind, run) {
  const key = `${kind} ${run}`
  if (!shoppers.has(key)) shoppers.set(key, createShoppers(kind, run))
  return shoppers.get(key)
}

function createRequests({ kind = 'page', run, eventsPerPost }) {
  const nextEvent = shoppersOf(kind, run)
  return () => {
    let body = nextEvent()
    if (eventsPerPost > 1) {
      body = `[${body}`
      for (let i = 1; i < eventsPerPost; i++) body += `,${nextEvent()}`
      body += ']'
    }
    return `POST /events HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: veritas-bench\r\nAccept: */*\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  }
}

/** One connection; `onAnswer(status, head, ms)` after each answer, `onGone(wasWaiting)` at its end. */
function openConnection(port, { onOpen, onAnswer, onGone }) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.setEncoding('latin1')
  let answer = ''
  let sentAt = 0
  let waiting = false
  socket.on('connect', onOpen)
  socket.on('data', (text) => {
    answer += text
    const head = answer.indexOf('\r\n\r\n')
    if (head === -1) return
    const length = /content-length: (\d+)/i.exec(answer.slice(0, head))
    if (!length) throw new Error(`An answer without Content-Length: ${answer.slice(0, head)}`)
    if (answer.length < head + 4 + Number(length[1])) return
    const headText = answer
    answer = ''
    waiting = false
    onAnswer(headText.slice(9, 12), headText, performance.now() - sentAt)
  })
  socket.on('error', () => {})
  socket.on('close', () => onGone(waiting))
  return {
    send(request) {
      waiting = true
      sentAt = performance.now()
      socket.write(request)
    },
    end: () => socket.end(),
  }
}

function measure(order) {
  const { port, connections, eventsPerPost, windowMs, rate, timeline } = order
  const nextRequest = createRequests(order)
  const counts = { requests: 0, accepted: 0, refused: 0, failed: 0, unsent: 0, withoutRetryAfter: 0 }
  const took = { accepted: [], refused: [] }
  const acceptedAt = []
  const cpu = process.cpuUsage()
  const startedAt = Date.now()
  const started = performance.now()
  const isOver = () => performance.now() - started >= windowMs

  function count(status, head, ms) {
    counts.requests += 1
    if (status === '202') {
      counts.accepted += eventsPerPost
      took.accepted.push(ms)
      if (timeline) acceptedAt.push([Date.now(), eventsPerPost])
    } else if (status === '429' || status === '503') {
      counts.refused += 1
      took.refused.push(ms)
      if (!/\r\nretry-after: [1-9]/i.test(head)) counts.withoutRetryAfter += 1
    } else counts.failed += 1
  }

  return new Promise((resolve) => {
    let open = connections
    const free = []
    for (let i = 0; i < connections; i++) {
      const connection = openConnection(port, {
        onOpen: () => ready(),
        onAnswer(status, head, ms) {
          count(status, head, ms)
          ready()
        },
        onGone(wasWaiting) {
          if (wasWaiting) counts.failed += 1
          if (free.includes(connection)) free.splice(free.indexOf(connection), 1)
          open -= 1
          if (open === 0) finish()
        },
      })
      const ready = () => {
        if (isOver()) connection.end()
        else if (rate) free.push(connection)
        else connection.send(nextRequest())
      }
    }
    if (rate) pace()

    /** Sends what is due. Sleeping is left to a timer of 1 ms: a busy loop would take the server's core. */
    function pace() {
      let sent = 0
      const timer = setInterval(() => {
        const due = Math.floor(((performance.now() - started) * rate) / 1000)
        while (sent < due) {
          sent += 1
          const connection = free.pop()
          if (connection) connection.send(nextRequest())
          else counts.unsent += 1
        }
        if (!isOver()) return
        clearInterval(timer)
        for (const connection of free.splice(0)) connection.end()
      }, 1)
    }

    function finish() {
      const { user, system } = process.cpuUsage(cpu)
      const elapsedMs = performance.now() - started
      const latency = { accepted: spread(took.accepted), refused: spread(took.refused) }
      resolve({ ...counts, latency, startedAt, elapsedMs, cpuUs: user + system, ...(timeline && { acceptedAt }) })
    }
  })
}

function spread(values) {
  if (values.length === 0) return null
  values.sort((a, b) => a - b)
  const at = (share) => values[Math.max(0, Math.ceil(values.length * share) - 1)]
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

process.on('message', async (order) => process.send(await measure(order)))
process.on('disconnect', () => process.exit())
