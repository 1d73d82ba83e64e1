import type { IncomingMessage } from 'node:http'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { WriteKey } from '../store/store.ts'
import { createKeys, hashKey, keyOfHead, keysOfRequest } from './keys.ts'

const PK = `pk_${'a'.repeat(43)}`
const SK = `sk_${'b'.repeat(43)}`
const key = (over: Partial<WriteKey> = {}): WriteKey => ({
  siteId: 'shop',
  kind: 'pk',
  name: '',
  eventsPerSecond: null,
  origins: null,
  createdAt: 0,
  ...over,
})

function setUp(known: Record<string, WriteKey>, keyless: 'allow' | 'refuse' = 'allow') {
  const state = { at: 1_000_000, away: false, asked: 0, listed: 0 }
  const store = {
    byHash: async (hash: string): Promise<WriteKey | null> => {
      state.asked++
      if (state.away) throw new Error('away')
      return Object.entries(known).find(([text]) => hashKey(text) === hash)?.[1] ?? null
    },
    digests: async () => {
      state.listed++
      if (state.away) throw new Error('away')
      return Object.keys(known).map(hashKey)
    },
    create: async () => {},
    list: async () => [],
    revoke: async () => false,
  }
  return { keys: createKeys({ store, keyless, defaultSiteId: 'default', now: () => state.at }), state, store, known }
}

afterEach(() => void vi.useRealTimers())

describe('keys', () => {
  it('knows the site and the kind of a key', async () => {
    const { keys } = setUp({ [PK]: key(), [SK]: key({ kind: 'sk', siteId: 'other' }) })
    expect(await keys.find(PK)).toMatchObject({ siteId: 'shop', kind: 'pk' })
    expect(await keys.find(SK)).toMatchObject({ siteId: 'other', kind: 'sk' })
  })

  it.each(['', 'pk_short', `vt_${'a'.repeat(43)}`, PK.replace('a', 'c'), `${PK}' OR 1=1`])(
    'refuses the unknown key %j with 401',
    async (text) => {
      const { keys } = setUp({ [PK]: key() })
      await expect(keys.find(text)).rejects.toMatchObject({ status: 401 })
    },
  )

  it('takes a request without a key as the default site’s server, unless that is refused', async () => {
    expect(await setUp({}).keys.find(null)).toMatchObject({ siteId: 'default', kind: 'sk' })
    await expect(setUp({}, 'refuse').keys.find(null)).rejects.toMatchObject({ status: 401 })
  })

  it('asks the store once in half a minute, and again after it', async () => {
    const { keys, state } = setUp({ [PK]: key() })
    await keys.find(PK)
    await keys.find(PK)
    expect(state.asked).toBe(1)
    state.at += 30_001
    await keys.find(PK)
    expect(state.asked).toBe(2)
  })

  it('knows a new key within seconds although it was refused before', async () => {
    const { keys, state, known } = setUp({})
    await expect(keys.find(PK)).rejects.toMatchObject({ status: 401 })
    known[PK] = key()
    state.at += 5_001
    expect(await keys.find(PK)).toMatchObject({ kind: 'pk' })
  })

  it('goes on with known keys while the store is away, and asks others to come back', async () => {
    const { keys, state } = setUp({ [PK]: key() })
    await keys.find(PK)
    state.at += 3_600_000
    state.away = true
    expect(await keys.find(PK)).toMatchObject({ siteId: 'shop' })
    await expect(keys.find(SK)).rejects.toMatchObject({ status: 503 })
  })

  it('lets no request with a key in use wait while the store takes its time', async () => {
    const { keys, state, store } = setUp({ [PK]: key() })
    await keys.find(PK)
    let fail = (_error: Error) => {}
    store.byHash = () => {
      state.asked++
      return new Promise((_, reject) => {
        fail = reject
      })
    }
    for (let second = 1; second <= 29; second++) {
      state.at += 1000
      expect(await keys.find(PK)).toMatchObject({ siteId: 'shop' })
    }
    expect(state.asked).toBe(2)
    fail(new Error('The store took longer than 5 s'))
    await new Promise((resolve) => setImmediate(resolve))
    state.at += 2000
    expect(await keys.find(PK)).toMatchObject({ siteId: 'shop' })
  })

  it('asks once for all requests that wait for the same key', async () => {
    const { keys, state } = setUp({ [PK]: key() })
    await Promise.all(Array.from({ length: 50 }, () => keys.find(PK)))
    expect(state.asked).toBe(1)
  })

  it('refuses a key in use half a minute after it was revoked at the latest', async () => {
    const { keys, state, known } = setUp({ [PK]: key() })
    await keys.find(PK)
    delete known[PK]
    let refusedAfter = 0
    for (let second = 1; second <= 30 && refusedAfter === 0; second++) {
      state.at += 1000
      await keys.find(PK).catch(() => {
        refusedAfter = second
      })
    }
    expect(refusedAfter).toBeGreaterThan(0)
  })

  it('gives a key its rate although the clock was set back', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'], now: 1_000_000_000 })
    const { store } = setUp({ [PK]: key({ eventsPerSecond: 10 }) })
    const keys = createKeys({ store, keyless: 'refuse', defaultSiteId: 'default' })
    ;(await keys.find(PK)).spend(40)
    vi.setSystemTime(Date.now() - 3_600_000)
    ;(await keys.find(PK)).spend(10)
    vi.advanceTimersByTime(1000)
    ;(await keys.find(PK)).spend(10)
  })

  it('holds a key to its rate, over refreshes too, and gives it back with time', async () => {
    const { keys, state } = setUp({ [PK]: key({ eventsPerSecond: 10 }) })
    const sender = await keys.find(PK)
    sender.spend(50)
    expect(() => sender.spend(1)).toThrow('10 events a second')
    state.at += 31_000
    const refreshed = await keys.find(PK)
    refreshed.spend(50)
    expect(() => refreshed.spend(1)).toThrow('10 events a second')
    state.at += 1000
    refreshed.spend(10)
    expect(() => refreshed.spend(1)).toThrow('10 events a second')
  })

  it('takes a request larger than the bucket once it is full, and has it paid off', async () => {
    const { keys, state } = setUp({ [PK]: key({ eventsPerSecond: 10 }) })
    const sender = await keys.find(PK)
    sender.spend(100)
    state.at += 5000
    expect(() => sender.spend(1)).toThrow()
    state.at += 5100
    sender.spend(1)
  })
})

describe('random keys', () => {
  const random = (number: number) => `pk_${String(number).padStart(43, '0')}`

  it('push no good key out of the memory, and give none its rate back', async () => {
    const { keys, state } = setUp({ [PK]: key({ eventsPerSecond: 10 }) })
    ;(await keys.find(PK)).spend(50)
    for (let number = 0; number < 25_000; number++) await keys.find(random(number)).catch(() => {})
    const { asked } = state
    const again = await keys.find(PK)
    expect(state.asked).toBe(asked)
    expect(() => again.spend(1)).toThrow('10 events a second')
  })

  it('are asked for a few at once, and then not at all', async () => {
    const { keys, state } = setUp({ [PK]: key() })
    await keys.find(PK)
    const answers = await Promise.allSettled(Array.from({ length: 200 }, (_, number) => keys.find(random(number))))
    const statuses = answers.map((answer) => (answer.status === 'rejected' ? answer.reason.status : 200))
    expect(statuses.filter((status) => status === 401)).toHaveLength(64)
    expect(statuses.filter((status) => status === 503)).toHaveLength(136)
    expect(state.asked).toBe(65)
    expect(await keys.find(PK)).toMatchObject({ kind: 'pk' })
    // One that was refused is known to be none for a while.
    await expect(keys.find(random(0))).rejects.toMatchObject({ status: 401 })
    expect(state.asked).toBe(65)
  })
})

describe('a good key that this process never saw', () => {
  const random = (number: number) => `pk_${String(number).padStart(43, '0')}`

  it('is known while more random keys are looked up than may be, for one question a second', async () => {
    const { keys, state, store } = setUp({ [PK]: key(), [SK]: key({ kind: 'sk' }) })
    const { byHash } = store
    // The store never comes to an end with those that it does not know.
    store.byHash = async (hash) => (await byHash(hash)) ?? new Promise(() => {})
    const flood = async (from: number) => {
      for (let number = from; number < from + 200; number++) keys.find(random(number)).catch(() => {})
    }
    await flood(0)
    expect(await keys.find(PK)).toMatchObject({ kind: 'pk' })
    await flood(1000)
    await expect(keys.find(random(5000))).rejects.toMatchObject({ status: 503 })
    expect(await keys.find(SK)).toMatchObject({ kind: 'sk' })
    expect(state.listed).toBe(1)
  })

  it('is known a second after it was made, and never refused for good before', async () => {
    const { keys, state, store, known } = setUp({})
    const { byHash } = store
    store.byHash = async (hash) => (await byHash(hash)) ?? new Promise(() => {})
    for (let number = 0; number < 200; number++) keys.find(random(number)).catch(() => {})
    await expect(keys.find(random(300))).rejects.toMatchObject({ status: 503 })
    known[PK] = key()
    await expect(keys.find(PK)).rejects.toMatchObject({ status: 503 })
    state.at += 1001
    expect(await keys.find(PK)).toMatchObject({ kind: 'pk' })
    expect(state.listed).toBe(2)
  })
})

it('checks a rate without taking from it', async () => {
  const { keys } = setUp({ [PK]: key({ eventsPerSecond: 10 }) })
  const sender = await keys.find(PK)
  for (let tries = 0; tries < 10; tries++) sender.check(50)
  sender.spend(45)
  sender.check(5)
  expect(() => sender.check(6)).toThrow('10 events a second')
})

describe('origins of a key', () => {
  it('are those of its pages, any where it names none, and nothing for who comes from no page', async () => {
    const origins = 'https://shop.example http://localhost:3000'
    const { keys } = setUp({ [PK]: key({ origins }), [SK]: key({ kind: 'sk', origins: null, eventsPerSecond: 5 }) })
    const sender = await keys.find(PK)
    for (const origin of [undefined, 'https://shop.example', 'HTTPS://SHOP.example', 'http://localhost:3000'])
      expect(sender.mayComeFrom(origin)).toBe(true)
    for (const origin of [
      'null',
      '',
      'http://shop.example',
      'https://shop.example.evil.example',
      'https://shop.example ',
    ])
      expect(sender.mayComeFrom(origin)).toBe(false)
    expect((await keys.find(SK)).mayComeFrom('https://anywhere.example')).toBe(true)
    expect((await keys.find(null)).mayComeFrom('null')).toBe(true)
  })
})

describe('keyOfHead', () => {
  it.each([
    [`{"writeKey":"${PK}","batch":[`, PK],
    [`{"sentAt":"x", "api_key" : "${SK}"`, SK],
    [`{"batch":[],"writeKey":"vt_${'a'.repeat(43)}"}`, null],
    [`{"batch":[{"payload":{"text":"\\"writeKey\\":\\"${PK}\\""}}`, null],
    ['', null],
  ])('finds in %s', (head, found) => expect(keyOfHead(Buffer.from(head))).toBe(found))
})

describe('keysOfRequest', () => {
  const request = (headers: Record<string, string>, url = '/events') => ({ headers, url }) as unknown as IncomingMessage

  it.each([
    ['Bearer', { authorization: `Bearer ${PK}` }, '/events'],
    ['Basic', { authorization: `Basic ${Buffer.from(`${PK}:`).toString('base64')}` }, '/events'],
    ['X-Write-Key', { 'x-write-key': PK }, '/events'],
    ['the address', {}, `/events?x=1&writeKey=${PK}`],
    ['the address, by its other name', {}, `/events?api_key=${PK}`],
    ['X-Write-Key sent twice', { 'x-write-key': `${PK}, ${PK}` }, '/events'],
    [
      'X-Write-Key beside the Authorization of a proxy',
      { authorization: 'Basic c3RhZ2luZzpwdw==', 'x-write-key': PK },
      '/events',
    ],
    [
      'the address beside a token of somebody else',
      { authorization: 'Bearer eyJhbGciOi.J9' },
      `/events?writeKey=${PK}`,
    ],
    ['X-Write-Key beside what is no key', { 'x-write-key': PK }, '/events?writeKey=other'],
  ])('finds the key of %s', (_name, headers, url) => {
    expect(keysOfRequest(request(headers as Record<string, string>, url))).toEqual([PK])
  })

  it.each([
    {},
    { authorization: 'Bearer' },
    { authorization: 'Basic' },
    { authorization: 'Digest x' },
    { authorization: 'Basic c3RhZ2luZzpwdw==' },
    { authorization: 'Bearer eyJhbGciOi.J9' },
    { 'x-write-key': '' },
  ])('finds none in %j', (headers) => expect(keysOfRequest(request(headers as Record<string, string>))).toEqual([]))

  it('gives what looks like no key where only our own places have it, and all that do', () => {
    expect(keysOfRequest(request({ 'x-write-key': 'typo' }))).toEqual(['typo'])
    expect(keysOfRequest(request({ authorization: `Bearer ${SK}`, 'x-write-key': PK }))).toEqual([SK, PK])
  })
})
