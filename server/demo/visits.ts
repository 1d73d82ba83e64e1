import { createStarts, type Day, shareUntil } from './calendar.ts'
import { createRandom, type Random } from './random.ts'
import { createVisitor, type Visitor } from './visitors.ts'

const HOUR_MS = 3_600_000

export interface Visit {
  visitor: Visitor
  /** Of the visitor's visits, from 0; together with `visitorNumber` it seeds everything that happens in it. */
  number: number
  visitorNumber: number
  day: Day
  /** Epoch milliseconds. */
  start: number
}

export interface VisitPlan {
  seed: number
  users: number
  calendar: readonly Day[]
  zone: string
  /** No visit starts after this instant, which is on the calendar's last day. */
  endsAt: number
  /** Below 1 everybody comes back sooner and more often. */
  pace: number
}

/**
 * Everybody's first visit, followed by the later ones in such an order that however many are taken, the days have
 * visits as their weights say (as long as enough are planned for each).
 */
export function planVisits(plan: VisitPlan): Visit[] {
  const { seed, users, zone, endsAt, pace } = plan
  const weights = plan.calendar.map((day) => day.weight * shareUntil(day, zone, endsAt))
  const starts = plan.calendar.map((day) => createStarts(day, zone, endsAt))
  const busiest = Math.max(...weights)
  const byWeight = weights.map((weight, index) => [weight, index] as const)
  const first: Visit[] = []
  const later: Visit[][] = plan.calendar.map(() => [])
  const firstOfDay = plan.calendar.map(() => 0)

  for (let visitorNumber = 0; visitorNumber < users; visitorNumber++) {
    const visitor = createVisitor(seed, visitorNumber, users)
    const { habit } = visitor
    const random = createRandom(seed, 3, visitorNumber)
    const waited = random.chance(habit.known) ? Math.floor(random.exponential(habit.gapDays)) : weights.length
    let dayIndex = waited < weights.length ? waited : random.weighted(byWeight)
    let previous = Number.NEGATIVE_INFINITY
    let number = 0
    for (let day = plan.calendar[dayIndex]; day; day = plan.calendar[dayIndex]) {
      const start = starts[dayIndex]!(random)
      if (start <= previous + HOUR_MS) {
        // The same day again, with the visit before not over yet: tomorrow, then.
        dayIndex += 1
        continue
      }
      const visit = { visitor, visitorNumber, number, day, start }
      if (number === 0) {
        first.push(visit)
        firstOfDay[dayIndex]! += 1
      } else later[dayIndex]!.push(visit)
      number += 1
      previous = start
      if (!random.chance(1 - (1 - habit.returns) * pace)) break
      dayIndex = nextDay(dayIndex, habit.gapDays * pace, weights, busiest, random)
    }
  }

  const random = createRandom(seed, 5)
  const ranked = later.flatMap((visits, index) =>
    shuffle(visits, random).map((visit, place) => ({
      visit,
      rank: (firstOfDay[index]! + place + 0.5) / weights[index]!,
    })),
  )
  ranked.sort((a, b) => a.rank - b.rank)
  return [...shuffle(first, random), ...ranked.map(({ visit }) => visit)]
}

/** A gap of days, and then on to a day that is busy enough: this is how sales and weekends draw people back. */
function nextDay(from: number, gapDays: number, weights: readonly number[], busiest: number, random: Random): number {
  let index = from + Math.round(random.exponential(gapDays))
  while (index < weights.length && !random.chance(0.2 + (0.8 * weights[index]!) / busiest)) index += 1
  return index
}

function shuffle<T>(items: T[], random: Random): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.int(i + 1)
    const moved = items[i]!
    items[i] = items[j]!
    items[j] = moved
  }
  return items
}
