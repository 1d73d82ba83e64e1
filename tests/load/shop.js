/**
 * A k6 script that posts events like a shop. Started by npm run load with these settings:
 *
 *   TARGET      address of the server
 *   PROFILE     JSON: { stages: [{ eventsPerSecond, seconds }], batch, mixed, kind, thresholds, refusals }
 *               (scripts/load/profiles.ts)
 *   RUN         prefix of every event id
 *   CLIENTS     maximum number of concurrent requests
 *   TELL        1: print "taken N" or "unknown N" for each request, where N is its number, so that the events can be
 *               checked after a kill
 *   SUMMARY     file for the counts
 */

import http from 'k6/http'
import { Counter } from 'k6/metrics'
import { eventOf } from './events.js'

const { stages, batch, mixed, kind, thresholds, refusals } = JSON.parse(__ENV.PROFILE)
const tells = __ENV.TELL === '1'

/** Of ten requests to a real shop, seven are one event from a page being left, and three a batch from a server. */
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
  // If the server is killed on purpose, requests fail; then only the content of the store matters.
  thresholds: tells ? {} : thresholds,
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
  discardResponseBodies: true,
}

// Under overload, a request to come back later (429, 503) is a correct answer too.
if (refusals) http.setResponseCallback(http.expectedStatuses(202, 429, 503))

const address = `${__ENV.TARGET}/events`
// Shorter than the 30 s that k6 waits at the end of a run; requests that take longer are not counted.
const paramsOf = (type) => ({ headers: { 'Content-Type': type }, timeout: '20s' })
const fromServer = paramsOf('application/json')
const fromBrowser = paramsOf('text/plain;charset=UTF-8')

export default function () {
  // Unique: composed of the client's number and its iteration.
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
