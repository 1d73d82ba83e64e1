/**
 * The first Veritas' claim as a k6 script: events at a constant rate, 95 % of the answers within 50 ms, none failed.
 * npm run load starts it with these settings:
 *
 *   TARGET    address of the server
 *   RATE      events a second
 *   SECONDS   for how long
 *   BATCH     events in a request
 *   RUN       beginning of every event id
 *   CLIENTS   most requests on their way at once
 *   TELL      1: print "taken N" or "unknown N" for each request, N its number, so that a kill can be counted afterwards
 *   SUMMARY   file for the counts
 */

import http from 'k6/http'
import { Counter } from 'k6/metrics'

const batch = Number(__ENV.BATCH)
const tells = __ENV.TELL === '1'
const requestsPerSecond = Math.max(1, Math.round(Number(__ENV.RATE) / batch))

const acceptedEvents = new Counter('accepted_events')
const refusedRequests = new Counter('refused_requests')
const unansweredRequests = new Counter('unanswered_requests')

export const options = {
  scenarios: {
    claim: {
      executor: 'constant-arrival-rate',
      rate: requestsPerSecond,
      timeUnit: '1s',
      duration: `${__ENV.SECONDS}s`,
      preAllocatedVUs: Math.min(Number(__ENV.CLIENTS), 200),
      maxVUs: Number(__ENV.CLIENTS),
    },
  },
  // A server that is killed on purpose fails requests: there only the store's content counts.
  thresholds: tells
    ? {}
    : { http_req_duration: ['p(95)<50'], http_req_failed: ['rate==0'], dropped_iterations: ['count==0'] },
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
  discardResponseBodies: false,
}

const params = { headers: { 'Content-Type': 'application/json' }, timeout: '10s' }
const address = `${__ENV.TARGET}/events`

function event(number, place) {
  return `{"eventId":"${__ENV.RUN}-${number}-${place}","userId":"user_${number % 5000}","sessionId":"s_${number % 20000}","type":"page_view","payload":{"url":"https://www.nordlicht.example/p/${number % 40}","title":"Fjell 2 tent"}}`
}

export default function () {
  // Of the client and its own count: no two requests share it.
  const number = __VU * 1_000_000 + __ITER
  let body = event(number, 0)
  if (batch > 1) {
    body = `[${body}`
    for (let place = 1; place < batch; place++) body += `,${event(number, place)}`
    body += ']'
  }
  const { status } = http.post(address, body, params)
  if (status === 202) acceptedEvents.add(batch)
  else if (status === 0) unansweredRequests.add(1)
  else refusedRequests.add(1)
  if (tells && status === 202) console.log(`taken ${number}`)
  if (tells && status === 0) console.log(`unknown ${number}`)
}

export function handleSummary({ metrics }) {
  const values = (name) => (metrics[name] ? metrics[name].values : {})
  const missed = Object.keys(metrics).filter((name) =>
    Object.keys(metrics[name].thresholds || {}).some((threshold) => !metrics[name].thresholds[threshold].ok),
  )
  const summary = {
    requests: values('http_reqs').count || 0,
    requestsPerSecond: values('http_reqs').rate || 0,
    unsent: values('dropped_iterations').count || 0,
    accepted: values('accepted_events').count || 0,
    refused: values('refused_requests').count || 0,
    unanswered: values('unanswered_requests').count || 0,
    durationMs: values('http_req_duration'),
    missed,
  }
  return { [__ENV.SUMMARY]: JSON.stringify(summary) }
}
