import { describe, expect, it } from 'vitest'
import { createFixedLists } from './fixed-lists.ts'
import type { FixedUsers } from './store.ts'

let clock = 0
let open = 0
const made = (): FixedUsers => {
  open += 1
  return {
    total: 0,
    rows: async () => [],
    close: async () => {
      open -= 1
    },
  }
}
const make = async () => made()

function newLists() {
  clock = 0
  open = 0
  return createFixedLists<null>(() => clock)
}

describe('lists that are kept', () => {
  it('are a few of each reader, so that one cannot take the places of all', async () => {
    const lists = newLists()
    for (let list = 0; list < 4; list++) await lists.keep('ana', null, make)
    await expect(lists.keep('ana', null, make)).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 10 })
    await lists.keep('ben', null, make)
    expect(open).toBe(5)
  })

  it('are refused before they are made, those being made counted', async () => {
    const lists = newLists()
    let goOn = () => {}
    const held = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const under = Array.from({ length: 4 }, () => lists.keep('ana', null, () => held.then(made)))
    await expect(lists.keep('ana', null, make)).rejects.toMatchObject({ code: 'rate_limited' })
    expect(open).toBe(0)
    goOn()
    await Promise.all(under)
    expect(open).toBe(4)
  })

  it('of all readers are bounded, and the refusal is for clients to read', async () => {
    const lists = newLists()
    for (let list = 0; list < 16; list++) await lists.keep(`reader ${list}`, null, make)
    const refused = { code: 'unavailable', isForClients: true, message: expect.stringContaining('lists of users') }
    await expect(lists.keep('late', null, make)).rejects.toMatchObject(refused)
    expect(open).toBe(16)
  })

  it('make room: what was read to its end at once, what nobody asks for after a while', async () => {
    const lists = newLists()
    const ids: string[] = []
    for (let list = 0; list < 4; list++) ids.push(await lists.keep('ana', null, make))
    lists.wasRead(ids[2]!)
    ids.push(await lists.keep('ana', null, make))
    expect(() => lists.find(ids[2]!)).toThrow('not kept any more')
    clock += 31_000
    lists.find(ids[0]!)
    ids.push(await lists.keep('ana', null, make))
    expect(() => lists.find(ids[1]!)).toThrow('not kept any more')
    expect([ids[0], ids[3], ids[4], ids[5]].map((id) => lists.find(id!).about)).toEqual([null, null, null, null])
    expect(open).toBe(4)
  })

  it('are given back by their own reader', async () => {
    const lists = newLists()
    const id = await lists.keep('ana', null, make)
    await lists.giveBack(id, 'ben')
    expect(lists.find(id).about).toBe(null)
    await lists.giveBack(id, 'ana')
    await lists.giveBack(id, 'ana')
    expect(open).toBe(0)
  })

  it('give their place back where they cannot be made', async () => {
    const lists = newLists()
    for (let list = 0; list < 5; list++)
      await expect(lists.keep('ana', null, () => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk')
    await lists.keep('ana', null, make)
  })

  it('are made two at once, the others in turn', async () => {
    const lists = newLists()
    let running = 0
    let most = 0
    const slow = async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return made()
    }
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((reader) => lists.keep(reader, null, slow)))
    expect([most, running]).toEqual([2, 0])
  })
})
