import { describe, expect, it } from 'vitest'
import { type Protocol, runHistory } from './sharded-folds.ts'

const HISTORIES = Number(process.env.MONGO_MODEL_HISTORIES ?? 300)
const right: Protocol = {
  readsClaimsAfterWrites: true,
  plansAfterHead: true,
  keepsInstant: true,
  writesBeforePlan: true,
}

function mistakes(protocol: Protocol): string[] {
  const found: string[] = []
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const mistake = runHistory(seed, protocol)
    if (mistake) found.push(`seed ${seed}: ${mistake}`)
  }
  return found
}

describe('folds of a cluster whose shards may have an outdated primary', () => {
  it('lose and double nothing', () => {
    expect(mistakes(right)).toEqual([])
  })

  it.each<[string, Partial<Protocol>]>([
    ['reads the claims of an earlier try wherever', { readsClaimsAfterWrites: false }],
    ['plans from rows read wherever', { plansAfterHead: false }],
    ['works out a fold of others from a head that it has only read', { writesBeforePlan: false }],
    ['does not keep by when the rows of a fold were written', { keepsInstant: false }],
  ])('are wrong with a protocol that %s', (_, wrong) => {
    expect(mistakes({ ...right, ...wrong }).length).toBeGreaterThan(0)
  })
})
