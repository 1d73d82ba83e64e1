/** Describes a load; tests/load/shop.js runs it. */
export interface Profile {
  /** The rate changes linearly from one stage's to the next. */
  stages: { eventsPerSecond: number; seconds: number }[]
  /** Events per request. */
  batch: number
  /** Simulates browsers too: seven of ten requests are a single event, as posted by sendBeacon. */
  mixed: boolean
  kind: 'page' | 'shop'
  /** k6 thresholds by metric. */
  thresholds: Record<string, string[]>
  /** Whether the load exceeds what the server can take, so that 429 and 503 with Retry-After are correct answers. */
  refusals: boolean
}

const allTaken = { http_req_failed: ['rate==0'], dropped_iterations: ['count==0'] }

/** A constant rate. */
const constant = (eventsPerSecond: number, seconds: number) => [{ eventsPerSecond, seconds }]

export const profiles = {
  smoke: {
    stages: constant(500, 5),
    batch: 10,
    mixed: false,
    kind: 'shop',
    thresholds: { ...allTaken, http_req_duration: ['p(95)<250'] },
    refusals: false,
  },
  claim: {
    stages: constant(10_000, 30),
    batch: 10,
    mixed: false,
    kind: 'page',
    thresholds: { ...allTaken, http_req_duration: ['p(95)<50'] },
    refusals: false,
  },
  realistic: {
    // A day condensed into two minutes: night, morning, midday, an evening sale, night.
    stages: [
      { eventsPerSecond: 150, seconds: 10 },
      { eventsPerSecond: 800, seconds: 25 },
      { eventsPerSecond: 600, seconds: 25 },
      { eventsPerSecond: 2000, seconds: 35 },
      { eventsPerSecond: 150, seconds: 25 },
    ],
    batch: 20,
    mixed: true,
    kind: 'shop',
    thresholds: { ...allTaken, http_req_duration: ['p(95)<50', 'p(99)<250'] },
    refusals: false,
  },
  spike: {
    // After a newsletter: from little load to far more than the store can keep up with, and back.
    stages: [
      { eventsPerSecond: 500, seconds: 5 },
      { eventsPerSecond: 60_000, seconds: 3 },
      { eventsPerSecond: 60_000, seconds: 15 },
      { eventsPerSecond: 500, seconds: 2 },
      { eventsPerSecond: 500, seconds: 10 },
    ],
    batch: 50,
    mixed: false,
    kind: 'shop',
    thresholds: {
      http_req_failed: ['rate==0'],
      refused_without_retry_after: ['count==0'],
      unanswered_requests: ['count==0'],
    },
    refusals: true,
  },
  soak: {
    stages: constant(1000, 1800),
    batch: 10,
    mixed: false,
    kind: 'shop',
    thresholds: { ...allTaken, http_req_duration: ['p(95)<50'] },
    refusals: false,
  },
} as const satisfies Record<string, Profile>

export type ProfileName = keyof typeof profiles

export function isProfileName(name: string): name is ProfileName {
  return Object.hasOwn(profiles, name)
}

/** Total duration of a profile in seconds. */
export function secondsOf({ stages }: Profile): number {
  return stages.reduce((sum, { seconds }) => sum + seconds, 0)
}

/** A profile scaled to another rate, duration or batch size; its shape stays the same. */
export function adjusted(profile: Profile, to: { rate?: number; seconds?: number; batch?: number }): Profile {
  const highest = Math.max(...profile.stages.map(({ eventsPerSecond }) => eventsPerSecond))
  const rateFactor = to.rate === undefined ? 1 : to.rate / highest
  const timeFactor = to.seconds === undefined ? 1 : to.seconds / secondsOf(profile)
  return {
    ...profile,
    batch: to.batch ?? profile.batch,
    stages: profile.stages.map(({ eventsPerSecond, seconds }) => ({
      eventsPerSecond: Math.max(1, Math.round(eventsPerSecond * rateFactor)),
      seconds: Math.max(1, Math.round(seconds * timeFactor)),
    })),
  }
}
