import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Admission } from '../ingest/admission.ts'
import { sendJson } from '../ingest/answer.ts'
import type { Wal } from '../ingest/wal/wal.ts'
import type { Store } from '../store/store.ts'
import { balance } from '../telemetry/system.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { OtherLogs } from '../writer/other-logs.ts'

const PING_TIMEOUT_MS = 1000

export interface HealthParts {
  store: Store
  wal: Wal
  admission: Admission
  telemetry: Telemetry
  /** Why events are not stored, or are about to be in the way; empty while all is well. */
  troubles: () => Promise<string[]>
  others: Pick<OtherLogs, 'waiting'>
  bufferEvents: number
  role: 'all' | 'ingest' | 'web'
  version: string
  now: () => number
}

/** /health for people, /health/live for supervisors (the loop turns), /health/ready for balancers (send events here). */
export function createHealth(parts: HealthParts) {
  const { store, wal, admission, telemetry, others, bufferEvents, role, version, now } = parts
  return async function health(_req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
    res.setHeader('cache-control', 'no-store')
    const timestamp = new Date(now()).toISOString()
    if (path === '/health/live') return sendJson(res, 200, { status: 'ok', timestamp })
    const [isUp, troubles] = await Promise.all([answersInTime(store), parts.troubles().catch((): string[] => [])])
    const database = isUp ? 'up' : 'down'
    const waiting = wal.waiting()
    const ready = admission.open
    // A store that is away degrades the answers; events are still taken, so it does not make this server unready.
    const status = !ready ? 'unready' : isUp && troubles.length === 0 ? 'ok' : 'degraded'
    const oldestWaitingMs = waiting.oldestAt === null ? 0 : Math.max(0, now() - waiting.oldestAt)
    const state = {
      status,
      timestamp,
      database,
      troubles,
      bufferSize: waiting.events,
      waitingElsewhere: (wal.elsewhere(now())?.events ?? 0) + (others.waiting()?.events ?? 0),
      bufferLimit: bufferEvents,
      walBytes: waiting.bytes,
      oldestWaitingMs,
    }
    if (path === '/health/ready') return sendJson(res, ready ? 200 : 503, state)
    const { rss, heapUsed, heapTotal } = process.memoryUsage()
    const { flushFailures, refusedRequests } = telemetry.counters
    sendJson(res, 200, {
      ...state,
      version,
      role,
      uptime: Math.round(process.uptime()),
      memory: { rss, heapUsed, heapTotal },
      engine: store.engine,
      ackLevel: wal.ackLevel,
      events: { ...balance(telemetry.counters, wal), damagedFrames: wal.damaged().frames },
      refusedRequests,
      flushFailures,
    })
  }
}

/** Whether the store answers within a second. */
export async function answersInTime(store: Store): Promise<boolean> {
  const timeout = new AbortController()
  try {
    const late = sleep(PING_TIMEOUT_MS, 'late' as const, { signal: timeout.signal }).catch(() => 'late' as const)
    return (await Promise.race([store.ping(), late])) !== 'late'
  } catch {
    return false
  } finally {
    timeout.abort()
  }
}
