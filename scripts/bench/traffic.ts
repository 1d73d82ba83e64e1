import type { ChildProcess } from 'node:child_process'
import { ask, forkBeside } from './child.ts'

/** An order for traffic.mjs: post as fast as answers arrive, or `rate` requests per second. */
export interface TrafficOrder {
  port: number
  /** Part of the event ids; within the same run no id is posted twice. */
  run: string
  kind?: 'page' | 'shop' | 'wide'
  eventsPerPost: number
  windowMs: number
  connections: number
  rate?: number
  timeline?: boolean
}

/** Percentiles in milliseconds. */
export interface Spread {
  p50: number
  p99: number
  max: number
}

export interface TrafficCounts {
  requests: number
  /** Number of events in requests answered with 202. */
  accepted: number
  refused: number
  failed: number
  /** Posts not sent on schedule because all connections were waiting for an answer. */
  unsent: number
  /** Number of refusals without a Retry-After header. */
  withoutRetryAfter: number
  latency: { accepted: Spread | null; refused: Spread | null }
  /** Epoch milliseconds. */
  startedAt: number
  elapsedMs: number
  cpuUs: number
  /** [epoch ms, events] of each 202; only with `timeline`. */
  acceptedAt?: [number, number][]
}

/** A load generator in its own process. Takes one order at a time. */
export interface Traffic {
  child: ChildProcess
  post(order: TrafficOrder): Promise<TrafficCounts>
}

export function startTraffic(): Traffic {
  const child = forkBeside('traffic.mjs')
  return { child, post: (order) => ask<TrafficCounts>(child, order) }
}
