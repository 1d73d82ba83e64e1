/**
 * Load generator: posts events over keep-alive connections, one request at a time on each. Runs as a child process that
 * answers each order message with its results.
 *
 * Order: { port, run, kind, eventsPerPost, windowMs, connections, rate }. Without a rate, each connection sends its
 * next post when the last one is answered. With a rate (requests per second), posts are sent on schedule on any free
 * connection, however slow the answers are; a post that finds no free connection is counted as unsent.
 * `timeline: true` adds the [epoch ms, events] of each accepted post.
 *
 * Latencies are in ms from writing a post to the last byte of its answer.
 */
import { connect } from 'node:net'
import { createShoppers } from './shoppers.mjs'

const shoppers = new Map()

/** Reuses the generator for all windows of a run, so that event ids never repeat. */
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

/** Opens one connection. Calls `onAnswer(status, head, ms)` per answer and `onGone(wasWaiting)` when it closes. */
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

    /** Sends the posts that are due, every 1 ms. A busy loop would be more precise but take a core from the server. */
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
