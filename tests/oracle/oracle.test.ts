import { expect, it } from 'vitest'
import { startMongo } from '../mongo/mongo-server.ts'
import { storeNeeds } from '../mongo/need.ts'
import { describeWith } from '../needs.ts'
import { startServer } from '../server.ts'
import { storeKinds } from '../store-kind.ts'
import { runOracle } from './run.ts'

/** ORACLE_SEED runs what a failure printed once more. */
const seed = Number(process.env.ORACLE_SEED ?? 1 + Math.floor(Math.random() * 2 ** 31))
const SHOPS = 2

for (const kind of storeKinds)
  describeWith(storeNeeds[kind], `every figure of random shops (${kind})`, () => {
    it.each(Array.from({ length: SHOPS }, (_, index) => seed + index))('is what was posted, seed %d', async (own) => {
      const store: Record<string, string> = kind === 'mongo' ? { STORE_URL: (await startMongo()).newDatabase() } : {}
      const { differences, compared } = await runOracle(own, async (settings) => {
        const server = await startServer({ args: ['--no-demo'], env: { ...store, ...settings } })
        return { url: server.url, dataDir: server.dataDir, env: store }
      })
      expect(differences.slice(0, 10)).toEqual([])
      expect(compared).toBeGreaterThan(500)
    })
  })
