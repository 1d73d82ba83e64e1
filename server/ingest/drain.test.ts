import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { expect, it } from 'vitest'
import { createDrain } from './drain.ts'

const PIECE_BYTES = 64 * 1024

/** Requests that send for as long as they are read, and windows that are moved by hand. */
function setUp(count: number) {
  let next: (() => void) | null = null
  const drain = createDrain((work) => {
    next = work
  })
  const requests = Array.from({ length: count }, () => {
    const state = { reading: false, destroyed: false, pieces: 0 }
    const req = Object.assign(new EventEmitter(), {
      pause() {
        state.reading = false
      },
      resume() {
        state.reading = true
      },
      destroy() {
        state.reading = false
        state.destroyed = true
        req.emit('close')
      },
    })
    drain(req as unknown as IncomingMessage)
    return { state, req }
  })
  return {
    requests,
    /** One piece of each that is read, until none is. */
    send() {
      let pieces = 0
      while (requests.some(({ state }) => state.reading) && pieces < 10_000)
        for (const { state, req } of requests)
          if (state.reading) {
            pieces++
            state.pieces++
            const piece = Buffer.alloc(PIECE_BYTES)
            req.emit('data', piece)
            // Its memory was given back.
            expect(piece).toHaveLength(0)
          }
      return pieces
    },
    window() {
      const work = next
      next = null
      work?.()
      return work !== null
    },
  }
}

it('reads away so much in each window, of all bodies together and each in its turn', () => {
  const { requests, send, window } = setUp(6)
  // All had begun, and stop with the piece that is over.
  expect(send()).toBe(9)
  const first = requests.map(({ state }) => state.pieces)
  for (let n = 0; n < 6; n++) {
    expect(window()).toBe(true)
    expect(send()).toBe(4)
  }
  // None waits for ever behind the others.
  const since = requests.map(({ state }, index) => state.pieces - first[index]!)
  expect(Math.min(...since)).toBeGreaterThanOrEqual(3)
})

it('ends a connection that sends on and on, and forgets those that closed', () => {
  const { requests, send, window } = setUp(1)
  while (!requests[0]!.state.destroyed) {
    send()
    if (!requests[0]!.state.destroyed) expect(window()).toBe(true)
  }
  expect(requests[0]!.state.pieces).toBe(1025)
  window()
  expect(requests[0]!.state.reading).toBe(false)
  expect(window()).toBe(false)
})
