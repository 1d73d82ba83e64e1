import { createServer, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { emptyResource } from '@opentelemetry/resources'
import { afterEach, expect, it, vi } from 'vitest'
import { createTelemetry } from '../telemetry.ts'
import { createHistogramProducer } from './producer.ts'
import { showToPrometheus } from './prometheus.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

it('tries a port that is taken again and again, with the listeners of the first try, until it is free', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => void taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as AddressInfo
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const listen = vi.spyOn(Server.prototype, 'listen')
  const { log, measures } = createTelemetry({ logLevel: 'silent' })
  const exported = await showToPrometheus(port, {
    resource: emptyResource(),
    sources: [],
    histograms: createHistogramProducer(measures, 'all', Date.now),
    set: 'all',
    log,
  })
  const door = listen.mock.contexts[0] as Server
  const listeners = () => ['error', 'listening'].map((name) => door.listenerCount(name))
  const atFirst = listeners()
  async function tryUntil(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      vi.advanceTimersByTime(1000)
      await setImmediate()
    }
  }
  await tryUntil(() => listen.mock.calls.length > 15)
  expect(listeners()).toEqual(atFirst)
  await new Promise((resolve) => taken.close(resolve))
  await tryUntil(() => door.listening)
  expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200)
  await exported.close()
})
