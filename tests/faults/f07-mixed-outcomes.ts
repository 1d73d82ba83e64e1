import { setTimeout as sleep } from 'node:timers/promises'
import type { BatchOutcome, EventFate, EventWriting, StoredEvent } from '../../server/store/store.ts'
import { eventually } from '../shop.ts'
import { compareStore } from './compare.ts'
import { openDoor } from './door.ts'
import { ensure, type Fault } from './fault.ts'
import { startLoad } from './load.ts'
import { Obligations } from './obligations.ts'

/** Rejection reasons as stores give them. Only a duplicate id counts as a duplicate, however similar an error looks. */
const reasons = [
  'E121 the document fails validation',
  'E10334 the document is too large',
  'E11000 on another unique index',
]

/** A store whose batches mix stored events, duplicates, and events rejected for several reasons. */
export function refusingEvents(store: EventWriting, isRefused: (event: StoredEvent) => boolean): EventWriting {
  return {
    async insertBatch({ id, events }) {
      const inner = await store.insertBatch({ id, events: events.filter((event) => !isRefused(event)) })
      const outcome: BatchOutcome = { ...inner, fates: [], reasons: {} }
      let taken = 0
      events.forEach((event, index) => {
        const fate: EventFate = isRefused(event) ? 'refused' : inner.fates[taken++]!
        outcome.fates.push(fate)
        if (fate !== 'refused') return
        outcome.refused++
        outcome.reasons[index] = reasons[index % reasons.length]!
      })
      return outcome
    },
  }
}

export const mixedOutcomes: Fault = {
  id: 'F7',
  title: 'stored, duplicate and refused events in one batch',
  short: { rounds: 1, seconds: 1.5 },
  long: { rounds: 1, seconds: 60 },
  async run({ seed, seconds, data, step }) {
    const own = await data()
    const obligations = new Obligations()
    const door = await openDoor({
      data: own,
      wrap: (store) => refusingEvents(store, (event) => event.payload?.title === '靴'),
    })
    step('load, every request up to three times')
    let sent = 0
    const load = startLoad({
      seed,
      obligations,
      port: () => door.port,
      clients: 8,
      eventsPerSecond: 1000,
      copies: () => 1 + (sent++ % 3),
    })
    await sleep(seconds * 1000)
    // On a busy machine the load time alone may be too short for all outcomes.
    await eventually(async () => {
      const { stored, duplicate, deadLettered } = door.balance()
      ensure(stored > 0 && duplicate > 0 && deadLettered > 0, 'the outcomes are not mixed yet')
    })
    const counts = await load.stop()
    await door.settled()
    const { stored, duplicate, deadLettered } = door.balance()
    const letters = await door.deadLetters.list(Number.MAX_SAFE_INTEGER)
    ensure(counts.accepted === counts.requests, `requests failed: ${JSON.stringify(counts)}`)
    ensure(duplicate > 0 && deadLettered > 0 && stored > 0, 'the outcomes were not mixed')
    for (const reason of reasons)
      ensure(
        letters.some((letter) => letter.reason === reason),
        `no dead letter says: ${reason}`,
      )
    await door.close()
    const kept = await compareStore(own, obligations)
    ensure(kept.deadLetters === letters.length && kept.deadLetters > 0, 'dead letters were lost')

    step('the letters replayed into a store that takes them')
    const again = await openDoor({ data: own })
    const replayed = await again.deadLetters.replay(again.store)
    await again.close()
    ensure(replayed.stored === letters.length, `of ${letters.length} letters: ${JSON.stringify(replayed)}`)
    const comparison = await compareStore(own, obligations)
    ensure(comparison.deadLetters === 0, 'letters are left')
    return { comparisons: [kept, comparison], figures: { stored, duplicate, deadLettered, replayed: replayed.stored } }
  },
}
