import { Agent } from 'node:http'
import { createRandom } from '../../server/demo/random.ts'
import { compareStore } from './compare.ts'
import { openDoor } from './door.ts'
import { createEventMaker } from './events.ts'
import { ensure, type Fault } from './fault.ts'
import { Obligations } from './obligations.ts'
import { post } from './post.ts'

/** Ways to make an event invalid; the door reports them to the sender and accepts the rest of the request. */
const broken: ((event: Record<string, unknown>) => unknown)[] = [
  (event) => ({ ...event, userId: '' }),
  (event) => ({ ...event, type: 'no_such_type' }),
  (event) => ({ ...event, sessionId: undefined }),
  (event) => ({ ...event, occurredAt: '2999-01-01T00:00:00Z' }),
  (event) => ({ ...event, userId: 'a\u0000b' }),
  (event) => ({ ...event, userId: 'a\ud800' }),
  () => 'not even an object',
  (event) => ({ ...event, payload: { 'x\u0000': 1 } }),
  (event) => ({ ...event, payload: { text: 'x'.repeat(40_000) } }),
]

/** Of 100 events, one is unreadable and one makes the store fail; the other 98 must be stored. */
export const poison: Fault = {
  id: 'F9',
  title: '1 % of events refused by the door, 1 % poison for the store',
  short: { rounds: 30, seconds: 0 },
  long: { rounds: 600, seconds: 0 },
  async run({ seed, rounds, data, step }) {
    const own = await data()
    const obligations = new Obligations()
    const random = createRandom(seed, 9)
    const make = createEventMaker(random, `s${seed}`)
    const poisoned = new Set<string>()
    const door = await openDoor({
      data: own,
      retryMs: 0.5,
      wrap: (store) => ({
        async insertBatch(batch) {
          if (batch.events.some(({ eventId }) => poisoned.has(eventId))) throw new Error('the store chokes')
          return store.insertBatch(batch)
        },
      }),
    })
    const agent = new Agent({ keepAlive: true })
    let refused = 0
    for (let round = 1; round <= rounds; round++) {
      step(`request ${round} of ${rounds}`)
      obligations.step = `request ${round}`
      const events = Array.from({ length: 100 }, () => make(true))
      const bad = random.int(100)
      const worse = (bad + 1 + random.int(98)) % 100
      poisoned.add(events[worse]!.eventId!)
      const body = events.map((event, index) => (index === bad ? random.pick(broken)({ ...event }) : event))
      obligations.offer(events)
      obligations.withdraw(events[bad]!)
      const answer = await post({ port: door.port, agent }, JSON.stringify(body))
      ensure('status' in answer && answer.status === 202, `answered ${JSON.stringify(answer)}`)
      const { eventIds, accepted, rejected } = JSON.parse(answer.body) as Record<string, number> & {
        eventIds: string[]
      }
      ensure(accepted === 99 && rejected === 1, `accepted ${accepted}, rejected ${rejected}`)
      obligations.promise(events.toSpliced(bad, 1), eventIds)
      refused++
    }
    agent.destroy()
    // Each poisonous event is found by bisection and tried three times.
    await door.settled(60_000 + rounds * 500)
    const letters = await door.deadLetters.list(Number.MAX_SAFE_INTEGER)
    const guilty = letters.map((letter) => letter.event?.eventId)
    ensure(guilty.length === rounds && guilty.every((id) => id !== undefined && poisoned.has(id)), `guilty: ${guilty}`)
    ensure(
      letters.every((letter) => letter.reason.includes('chokes')),
      'a letter does not say why',
    )
    await door.close()
    const comparison = await compareStore(own, obligations)
    return { comparisons: [comparison], figures: { requests: rounds, refused, deadLetters: letters.length } }
  },
}
