import type { IncomingMessage } from 'node:http'
import { giveBack } from '../give-back.ts'

/** Reads the rest of a body away, so that the client sees its answer; the connection ends with what is too large. */
export type Drain = (req: IncomingMessage) => void

/** How much of a refused body is read away so that the connection stays usable; beyond it the connection ends. */
const MAX_DRAINED_BYTES = 64 * 1024 * 1024
const WINDOW_MS = 16
/** Of all bodies together, 16 MB a second: what is thrown away takes the loop as long as what is kept. */
const WINDOW_BYTES = 256 * 1024
/** What a connection brings at once. */
const PIECE_BYTES = 64 * 1024

export function createDrain(nextWindow: (work: () => void) => void = later): Drain {
  const drained = new WeakSet<IncomingMessage>()
  /** In the order in which they stopped. */
  const paused = new Set<IncomingMessage>()
  let left = WINDOW_BYTES
  let isNextDue = false

  function begin(): void {
    isNextDue = false
    left = WINDOW_BYTES
    let mayGoOn = WINDOW_BYTES / PIECE_BYTES
    for (const req of paused) {
      if (mayGoOn-- === 0) break
      paused.delete(req)
      req.resume()
    }
    if (paused.size > 0) wait()
  }

  function wait(): void {
    if (isNextDue) return
    isNextDue = true
    nextWindow(begin)
  }

  return (req) => {
    if (drained.has(req)) return
    drained.add(req)
    let size = 0
    req.on('error', () => {})
    req.on('close', () => paused.delete(req))
    req.on('data', (part: Buffer) => {
      const { length } = part
      giveBack(part)
      size += length
      if (size > MAX_DRAINED_BYTES) return void req.destroy()
      left -= length
      wait()
      // While others wait, each has one piece of its turn.
      if (left > 0 && paused.size === 0) return
      req.pause()
      paused.add(req)
    })
    req.resume()
  }
}

function later(work: () => void): void {
  setTimeout(work, WINDOW_MS).unref()
}

export const drain = createDrain()
