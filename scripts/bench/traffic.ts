import type { ChildProcess } from 'node:child_process'
import { ask, forkBeside } from './child.ts'

/** What to post (traffic.mjs): as fast as it is answered, or `rate` requests a second. */
export interface TrafficOrder {
  port: number
  /** Part of the events' ids: the same run never posts the same id twice. */
  run: string
  kind?: 'page' | 'shop' | 'wide'
  eventsPerPost: number
  windowMs: number
  connections: number
  rate?: number
  timeline?: boolean
}

/** Milliseconds. */
export interface Spread {
  p50: number
  p99: number
  max: number
}

export interface TrafficCounts {
  requests: number
  /** Events of requests answered with 202. */
  accepted: number
  refused: number
  failed: number
  /** Posts that were due while every connection waited for an answer. */
  unsent: number
  /** Refusals without a Retry-After. */
  withoutRetryAfter: number
  latency: { accepted: Spread | null; refused: Spread | null }
  /** Epoch ms. */
  startedAt: number
  elapsedMs: number
  cpuUs: number
  /** [epoch ms, events] of each 202. */
  acceptedAt?: [number, number][]
}

/** A load generator in a process of its own; one order at a time. */
export interface Traffic {
  child: ChildProcess
  post(order: TrafficOrder): Promise<TrafficCounts>
}

export function startTraffic(): Traffic {
  const child = forkBeside('traffic.mjs')
  return { child, post: (order) => ask<TrafficCounts>(child, order) }
}
