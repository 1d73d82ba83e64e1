import { cpuOf } from './machine.ts'
import type { Traffic, TrafficOrder } from './traffic.ts'

/** Something that answers POST /events. `settle` waits until it has nothing left to do. */
export interface Target {
  name: string
  port: number
  pid: number
  settle?: () => Promise<void>
}

/** What one window of closed-loop posts cost, per request in microseconds of CPU until the target has settled. */
export interface Window {
  requestsPerSecond: number
  /** Of the event loop's thread: the door, and for a store the reading back from the log. */
  loopUs: number
  /** Of all threads, the store's included. */
  processUs: number
  accepted: number
  refused: number
  /** Share of one core that the generator used: near 1 it, not the server, sets the pace. */
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

/** The best of several windows, figure by figure: other programs on the machine only ever make one worse. */
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
