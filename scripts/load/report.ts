import type { Profile } from './profiles.ts'
import { secondsOf } from './profiles.ts'

/** What k6 counted (tests/load/shop.js). */
export interface LoadCounts {
  requests: number
  requestsPerSecond: number
  /** Requests not sent on schedule because all clients were busy. */
  unsent: number
  /** Number of events in requests answered with 202. */
  accepted: number
  refused: number
  refusedWithoutRetryAfter: number
  unanswered: number
  durationMs: Partial<Record<'med' | 'p(95)' | 'p(99)' | 'max', number>>
  thresholds: { name: string; bound: string; ok: boolean }[]
}

export interface LoadReport {
  profile: string
  settings: Profile
  counts: LoadCounts
  /** Checks that must hold at any speed. */
  truths: { what: string; ok: boolean }[]
  /** The server's memory before and after the load, in bytes. */
  memory?: { before: number; after: number }
}

/** Whether the profile's thresholds were met and nothing was lost or counted twice. */
export function isMet({ counts, truths }: LoadReport): boolean {
  return counts.thresholds.every(({ ok }) => ok) && truths.every(({ ok }) => ok)
}

const whole = (value: number) => Math.round(value).toLocaleString('en-US')

/** The report as Markdown, for readers and CI summaries. */
export function markdownOf(report: LoadReport): string {
  const { profile, settings, counts, truths, memory } = report
  const ms = (name: keyof LoadCounts['durationMs']) => `${(counts.durationMs[name] ?? 0).toFixed(1)} ms`
  const highest = Math.max(...settings.stages.map(({ eventsPerSecond }) => eventsPerSecond))
  const seconds = secondsOf(settings)
  const lines = [
    `## Load: ${profile} — ${isMet(report) ? 'met' : 'missed'}`,
    '',
    `Up to ${whole(highest)} events/s for ${seconds} s in requests of ${settings.mixed ? `1 and ${settings.batch}` : settings.batch}.`,
    '',
    '| | |',
    '| --- | --- |',
    `| requests | ${whole(counts.requests)} (${whole(counts.requestsPerSecond)}/s) |`,
    `| events accepted | ${whole(counts.accepted)} (${whole(counts.accepted / seconds)}/s) |`,
    `| median, p95, p99, longest | ${ms('med')}, ${ms('p(95)')}, ${ms('p(99)')}, ${ms('max')} |`,
    `| refused (of them without Retry-After) | ${whole(counts.refused)} (${whole(counts.refusedWithoutRetryAfter)}) |`,
    `| without an answer | ${whole(counts.unanswered)} |`,
    `| not sent in time | ${whole(counts.unsent)} |`,
  ]
  if (memory)
    lines.push(`| memory of the server, before and after | ${megabytes(memory.before)}, ${megabytes(memory.after)} |`)
  lines.push('', '| must hold | |', '| --- | --- |')
  for (const { name, bound, ok } of counts.thresholds) lines.push(`| ${name} ${bound} | ${ok ? 'yes' : '**no**'} |`)
  for (const { what, ok } of truths) lines.push(`| ${what} | ${ok ? 'yes' : '**no**'} |`)
  return `${lines.join('\n')}\n`
}

function megabytes(bytes: number): string {
  return `${whole(bytes / 1024 ** 2)} MB`
}
