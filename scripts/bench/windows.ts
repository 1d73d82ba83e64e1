import { cpuOf } from './machine.ts'
import type { Traffic, TrafficOrder } from './traffic.ts'

/** A server for POST /events. `settle` resolves once it has no work left. */
export interface Target {
  name: string
  port: number
  pid: number
  settle?: () => Promise<void>
}

/** Result of one window in which each connection waits for its answer. CPU in microseconds per request. */
export interface Window {
  requestsPerSecond: number
  /** CPU of the event loop's thread: accepting, and with a store also reading back from the log. */
  loopUs: number
  /** CPU of all threads, including the store's. */
  processUs: number
  accepted: number
  refused: number
  /** Share of one core used by the load generator: near 1, the generator limits the rate, not the server. */
  generatorShare: number
}

export type WindowOrder = Omit<TrafficOrder, 'port'>

export async function measureWindow(traffic: Traffic, target: Target, order: WindowOrder): Promise<Window> {
  const before = cpuOf(target.pid)
  const counts = await traffic.post({ ...order, port: target.port })
  if (counts.failed > 0) throw new Error(`${target.name}: ${counts.failed} requests failed.`)
  await target.settle?.()
  const after = cpuOf(target.pid)
  return {
    requestsPerSecond: (counts.requests / counts.elapsedMs) * 1000,
    loopUs: (after.loop - before.loop) / counts.requests,
    processUs: (after.process - before.process) / counts.requests,
    accepted: counts.accepted,
    refused: counts.refused,
    generatorShare: counts.cpuUs / 1000 / counts.elapsedMs,
  }
}

/** The best value of each figure over several windows: other programs on the machine only make figures worse. */
export function best(windows: readonly Window[]): Window {
  const least = (pick: (window: Window) => number) => Math.min(...windows.map(pick))
  const most = (pick: (window: Window) => number) => Math.max(...windows.map(pick))
  return {
    requestsPerSecond: most((window) => window.requestsPerSecond),
    loopUs: least((window) => window.loopUs),
    processUs: least((window) => window.processUs),
    accepted: windows.reduce((sum, window) => sum + window.accepted, 0),
    refused: windows.reduce((sum, window) => sum + window.refused, 0),
    generatorShare: most((window) => window.generatorShare),
  }
}
