/**
 * Posts of a shop as a k6 script. npm run load starts it with these settings:
 *
 *   TARGET      address of the server
 *   PROFILE     JSON: { stages: [{ eventsPerSecond, seconds }], batch, mixed, kind, thresholds, refusals }
 *               (scripts/load/profiles.ts)
 *   RUN         beginning of every event id
 *   CLIENTS     most requests on their way at once
 *   TELL        1: print "taken N" or "unknown N" for each request, N its number, so that a kill can be counted
 *               afterwards
 *   SUMMARY     file for the counts
 */

import http from 'k6/http'
import { Counter } from 'k6/metrics'
import { eventOf } from './events.js'

const { stages, batch, mixed, kind, thresholds, refusals } = JSON.parse(__ENV.PROFILE)
const tells = __ENV.TELL === '1'

/** Of ten requests of a real shop seven are one event of a page that is being left, three the batch of a server. */
const MIX = 10
const SINGLE = 7
const eventsPerRequest = mixed ? (SINGLE + (MIX - SINGLE) * batch) / MIX : batch

const acceptedEvents = new Counter('accepted_events')
const refusedRequests = new Counter('refused_requests')
const refusedForGood = new Counter('refused_without_retry_after')
const unansweredRequests = new Counter('unanswered_requests')

const rateOf = ({ eventsPerSecond }) => Math.max(1, Math.round(eventsPerSecond / eventsPerRequest))

export const options = {
  scenarios: {
    shop: {
      executor: 'ramping-arrival-rate',
      startRate: rateOf(stages[0]),
      timeUnit: '1s',
      stages: stages.map((stage) => ({ target: rateOf(stage), duration: `${stage.seconds}s` })),
      preAllocatedVUs: Math.min(Number(__ENV.CLIENTS), 200),
      maxVUs: Number(__ENV.CLIENTS),
    },
  },
  // A server that is killed on purpose fails requests: there only the store's content counts.
  thresholds: tells ? {} : thresholds,
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
  discardResponseBodies: true,
}

// Where more is sent than can be taken, being asked to come back later is an answer as good as any.
if (refusals) http.setResponseCallback(http.expectedStatuses(202, 429, 503))

const address = `${__ENV.TARGET}/events`
// Below k6's own patience at the end of a run (30 s), after which it counts nothing.
const paramsOf = (type) => ({ headers: { 'Content-Type': type }, timeout: '20s' })
const fromServer = paramsOf('application/json')
const fromBrowser = paramsOf('text/plain;charset=UTF-8')

export default function () {
  // Of the client and its own count: no two requests share it.
  const number = __VU * 1_000_000 + __ITER
  const isSingle = mixed && (__VU + __ITER * 3) % MIX < SINGLE
  const size = isSingle ? 1 : batch
  const event = (place) => eventOf({ kind, run: __ENV.RUN, number, place })
  let body = event(0)
  if (size > 1) {
    body = `[${body}`
    for (let place = 1; place < size; place++) body += `,${event(place)}`
    body += ']'
  }
  const { status, headers } = http.post(address, body, isSingle ? fromBrowser : fromServer)
  if (status === 202) acceptedEvents.add(size)
  else if (status === 0) unansweredRequests.add(1)
  else {
    refusedRequests.add(1)
    if (!headers['Retry-After']) refusedForGood.add(1)
  }
  if (tells && status === 202) console.log(`taken ${number}`)
  if (tells && status === 0) console.log(`unknown ${number}`)
}

export function handleSummary({ metrics }) {
  const values = (name) => (metrics[name] ? metrics[name].values : {})
  const thresholdsOf = (name) => metrics[name].thresholds || {}
  const judged = Object.keys(metrics).flatMap((name) =>
    Object.keys(thresholdsOf(name)).map((bound) => ({ name, bound, ok: thresholdsOf(name)[bound].ok })),
  )
  const summary = {
    requests: values('http_reqs').count || 0,
    requestsPerSecond: values('http_reqs').rate || 0,
    unsent: values('dropped_iterations').count || 0,
    accepted: values('accepted_events').count || 0,
    refused: values('refused_requests').count || 0,
    refusedWithoutRetryAfter: values('refused_without_retry_after').count || 0,
    unanswered: values('unanswered_requests').count || 0,
    durationMs: values('http_req_duration'),
    thresholds: judged,
  }
  return { [__ENV.SUMMARY]: JSON.stringify(summary) }
}
