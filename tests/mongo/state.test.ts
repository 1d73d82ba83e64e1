import { setTimeout as sleep } from 'node:timers/promises'
import { type Filter, MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Collections, collectionsOf } from '../../server/store/mongo/collections.ts'
import { inOneState, withAllStored } from '../../server/store/mongo/read/state.ts'
import type { BatchRow, PlannedRow } from '../../server/store/mongo/rows.ts'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { applyPlan } from '../../server/store/mongo/write/apply.ts'
import { Folder } from '../../server/store/mongo/write/folder.ts'
import { Gate } from '../../server/store/mongo/write/gate.ts'
import { holdHead, readHead } from '../../server/store/mongo/write/head.ts'
import { packRows } from '../../server/store/mongo/write/plan.ts'
import { figuresOf, type Summary, siteSummary } from '../../server/store/mongo/write/summary.ts'
import { sampleBatch, sampleEvent, sampleSite } from '../../server/store/sample-events.ts'
import type { Store } from '../../server/store/store.ts'
import { describeWith } from '../needs.ts'
import { startMongo } from './mongo-server.ts'
import { mongo } from './need.ts'

describeWith(mongo, 'a question of several reads', () => {
  const siteId = sampleSite().id
  let client: MongoClient
  let rows: Collections
  let other: Store
  beforeAll(async () => {
    const url = (await startMongo()).newDatabase()
    client = new MongoClient(url)
    rows = collectionsOf(client.db())
    other = await createMongoStore({ url })
    await other.saveSite(sampleSite({ id: siteId }))
  })
  afterAll(() => Promise.all([other.close(), client.close()]))

  const asking = () => {
    const gate = new Gate()
    return { rows, gate, folder: new Folder(rows, gate, 0) }
  }
  /** Whoever asks has all that is stored folded. */
  const foldOne = async () => {
    await other.insertBatch(sampleBatch(sampleEvent({ siteId })))
    await other.totals(siteId)
  }
  const countEvents = async () => (await rows.totals.findOne({ _id: siteId }))?.events ?? 0

  describe('while another process folds', () => {
    it('is asked again when a fold came between two of its reads', async () => {
      let asked = 0
      const answer = await inOneState(asking(), async () => {
        asked += 1
        const first = await countEvents()
        if (asked === 1) await foldOne()
        return [first, await countEvents()]
      })
      expect(asked).toBe(2)
      expect(answer).toEqual([1, 1])
    })

    it('has everything that was stored before, by whomever', async () => {
      await other.insertBatch(sampleBatch(sampleEvent({ siteId })))
      expect(await inOneState(asking(), countEvents)).toBe(2)
      await other.insertBatch(sampleBatch(sampleEvent({ siteId })))
      expect(await withAllStored(asking(), countEvents)).toBe(3)
    })

    it('is answered however fast folds follow each other', async () => {
      const folding = { goesOn: true }
      const others = (async () => {
        for (; folding.goesOn; ) await foldOne()
      })()
      const began = performance.now()
      const [first, second] = await inOneState(asking(), async () => {
        const first = await countEvents()
        // Longer than several folds.
        await sleep(300)
        return [first, await countEvents()]
      })
      expect(performance.now() - began).toBeLessThan(60_000)
      expect(second).toBe(first)
      // And folds go on afterwards.
      const { applied } = await readHead(rows)
      await vi.waitFor(async () => expect((await readHead(rows)).applied).toBeGreaterThan(applied + 2), 60_000)
      folding.goesOn = false
      await others
    })

    it('that died while it held up folds holds them up for a moment', async () => {
      await holdHead(rows)
      const began = performance.now()
      await foldOne()
      expect(performance.now() - began).toBeGreaterThan(1000)
      expect(performance.now() - began).toBeLessThan(60_000)
      expect((await readHead(rows)).hold).toBe('')
    })

    it('never sees a fold that is applied once more, long after it is over', async () => {
      const user = (await rows.users.findOne({}))!
      const total = (await rows.totals.findOne({ _id: siteId }))!
      const late: PlannedRow[] = [
        { into: 'users', isNew: false, row: user, set: { fold: 1, events: -1 } },
        { into: 'totals', isNew: false, row: { ...total, fold: 1, events: -1 } },
        { into: 'totals', isNew: true, row: { ...total, fold: 1, events: -1 } },
      ]
      expect(Math.min(user.fold, total.fold)).toBeGreaterThan(1)
      await applyPlan(rows, 1, late, async () => {})
      expect(await rows.users.findOne({})).toEqual(user)
      expect(await rows.totals.findOne({ _id: siteId })).toEqual(total)
      // The same of a fold to come is written, once.
      const set = { fold: user.fold + 1, events: 70 }
      await applyPlan(rows, set.fold, [{ into: 'users', isNew: false, row: user, set }], async () => {})
      expect(await rows.users.findOne({})).toEqual({ ...user, ...set })
      await rows.users.replaceOne({ _id: user._id }, user)
    })

    it('has the events of a row too that a fold took for new and that stood', async () => {
      const user = (await rows.users.findOne({}))!
      const fold = user.fold + 1
      const row = { ...user, fold, events: 5, sessions: 1, lastAt: user.lastAt + 1000 }
      // Once more when the process that applied it died.
      for (let tries = 0; tries < 2; tries++)
        await applyPlan(rows, fold, [{ into: 'users', isNew: true, row }], async () => {})
      expect(await rows.users.findOne({ _id: user._id })).toEqual({
        ...{ ...row, events: user.events + 5, sessions: user.sessions + 1 },
      })
      await rows.users.replaceOne({ _id: user._id }, user)
    })

    it.each(['remembers', 'has read nothing of'])(
      'adds no batch twice that an outdated view of the ledger has as unfolded, and that it %s',
      async (memory) => {
        const events = await countEvents()
        const event = sampleEvent({ siteId })
        const batch = sampleBatch(event)
        await other.insertBatch(batch)
        await other.totals(siteId)
        // As a new primary may answer that has not heard yet what a majority has.
        const outdated = { sort: () => outdated, limit: () => outdated, toArray: async () => [{ _id: batch.id }] }
        const find = (filter: Filter<BatchRow>, options: object) =>
          '_id' in filter ? rows.ledger.find(filter, options) : outdated
        const ledger = new Proxy(rows.ledger, {
          get: (target, name) => (name === 'find' ? find : Reflect.get(target, name)),
        })
        const folder = new Folder({ ...rows, ledger }, new Gate(), 0)
        const summary: Summary = new Map()
        siteSummary(summary, siteId).add(event, 'UTC', null)
        if (memory === 'remembers') await folder.add(batch.id, figuresOf(summary))
        await folder.turn()
        await folder.close()
        expect(await countEvents()).toBe(events + 1)
        // And folds go on.
        await foldOne()
        expect(await countEvents()).toBe(events + 2)
      },
    )

    it('asks now and then, and not all the time, for a batch that a majority does not have yet', async () => {
      await other.totals(siteId)
      await rows.ledger.insertOne({ _id: 'slow', state: 'done', begunAt: new Date() })
      let asked = 0
      const none = { sort: () => none, limit: () => none, toArray: async () => [] }
      const find = (filter: Filter<BatchRow>, options: object) => {
        asked += 1
        return '_id' in filter ? rows.ledger.find(filter, options) : none
      }
      const ledger = new Proxy(rows.ledger, {
        get: (target, name) => (name === 'find' ? find : Reflect.get(target, name)),
      })
      const settling = new Folder({ ...rows, ledger }, new Gate(), 0).settle(['slow'])
      await sleep(600)
      await rows.ledger.deleteOne({ _id: 'slow' })
      await settling
      expect(asked).toBeLessThan(100)
    })

    /** A fold of a process that is gone, which is certain and stands half-way. */
    async function leaveHalfWay(events: number): Promise<number> {
      const head = await rows.head.findOne({ _id: 'head' })
      const fold = head!.applied + 1
      const row = (await rows.totals.findOne({ _id: siteId }))!
      const plan = { into: 'totals' as const, isNew: false, row: { ...row, events, fold } }
      await rows.plans.insertOne({ _id: 'left 0', fold, rows: packRows([plan]) })
      const left = { phase: 'apply' as const, batches: [], plan: 'left', parts: 1, owner: 'dead', beat: 3 }
      await rows.head.updateOne({ _id: 'head' }, { $set: left })
      return fold
    }
    async function expectFinished(fold: number): Promise<void> {
      expect(await rows.head.findOne({ _id: 'head' })).toMatchObject({ phase: 'idle', applied: fold })
      expect(await rows.plans.countDocuments()).toBe(0)
    }

    it('finishes a fold that its process left half-way', async () => {
      const fold = await leaveHalfWay(7)
      expect(await inOneState(asking(), countEvents)).toBe(7)
      await expectFinished(fold)
    })

    it('finishes it before it folds on, though nobody asks for figures', async () => {
      const fold = await leaveHalfWay(8)
      const { folder } = asking()
      // A turn takes it over, which needs two looks at whether its owner still moves.
      await vi.waitFor(async () => {
        await folder.turn()
        await expectFinished(fold)
      }, 60_000)
      expect(await countEvents()).toBe(8)
    })
  })
})
