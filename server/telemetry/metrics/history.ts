import type { Counters } from '../telemetry.ts'
import type { Measures } from './measures.ts'

const MINUTE_MS = 60_000
const MINUTES = 60

/** What one process did lately, for the page of those who run it. Instants are epoch milliseconds. */
export interface RecentFigures {
  /** Events per second over the last minute, or since the start if that is later. */
  acceptedPerSecond: number
  storedPerSecond: number
  /** Whole minutes, ascending, at most the last 60; `at` is where one begins. */
  minutes: { at: number; accepted: number; stored: number }[]
  /** Measurements of the last hour by bucket; bounds as in secondsBounds. */
  flush: number[]
  questions: number[]
}

export interface History {
  /** To be called every few seconds. */
  sample(): void
  figures(): RecentFigures
}

interface Sample {
  at: number
  accepted: number
  stored: number
}

interface Mark extends Sample {
  flush: Float64Array
  questions: Float64Array
}

/** Remembers the counters of the last hour: at each minute's end, and more often for the last minute. */
export function createHistory({
  counters,
  measures,
  now,
}: {
  counters: Pick<Counters, 'received' | 'rejected' | 'stored'>
  measures: Pick<Measures, 'flushDuration' | 'questions'>
  now: () => number
}): History {
  let recent: Sample[] = [take()]
  let marks: Mark[] = [mark()]

  function take(): Sample {
    return { at: now(), accepted: counters.received - counters.rejected, stored: counters.stored }
  }

  function mark(): Mark {
    const { flushDuration, questions } = measures
    return { ...take(), flush: flushDuration.buckets.slice(), questions: questions.buckets.slice() }
  }

  return {
    sample() {
      const sample = take()
      recent = [...recent.filter(({ at }) => at > sample.at - MINUTE_MS && at <= sample.at), sample]
      const last = marks.at(-1)!
      // A clock that was set back begins anew.
      if (sample.at < last.at) marks = [mark()]
      else if (minuteOf(sample.at) > minuteOf(last.at)) marks = [...marks.slice(-MINUTES), mark()]
    },

    figures() {
      const current = take()
      const first = recent[0] ?? current
      const seconds = Math.max(1, (current.at - first.at) / 1000)
      const oldest = marks[0]!
      return {
        acceptedPerSecond: (current.accepted - first.accepted) / seconds,
        storedPerSecond: (current.stored - first.stored) / seconds,
        minutes: minutesOf(marks),
        flush: since(measures.flushDuration.buckets, oldest.flush),
        questions: since(measures.questions.buckets, oldest.questions),
      }
    },
  }
}

/** What happened between two marks belongs to the minute in which the second was due to end. */
function minutesOf(marks: readonly Mark[]): RecentFigures['minutes'] {
  return marks.slice(1).map((mark, index) => {
    const before = marks[index]!
    return {
      at: (minuteOf(mark.at) - 1) * MINUTE_MS,
      accepted: mark.accepted - before.accepted,
      stored: mark.stored - before.stored,
    }
  })
}

function minuteOf(at: number): number {
  return Math.floor(at / MINUTE_MS)
}

function since(buckets: Float64Array, before: Float64Array): number[] {
  return Array.from(buckets, (count, index) => count - before[index]!)
}
