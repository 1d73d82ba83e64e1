import { beforeAll } from 'vitest'
import { describeStore } from '../../server/store/conformance.ts'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { describeWith } from '../needs.ts'
import { type MongoServer, startMongo } from './mongo-server.ts'
import { mongo } from './need.ts'

/** What it answers is tested here, not how soon: a busy machine gets there too. */
const unhurried = { answerTimeoutMs: 120_000, silenceMs: 120_000 }
/** Each takes a second and a half; STORE_PROPERTY_RUNS asks for more. */
const RANDOM_SHOPS = 3

describeWith(mongo, 'MongoDB', () => {
  let server: MongoServer
  beforeAll(async () => {
    server = await startMongo()
  })

  describeStore(
    'mongo',
    async () => {
      const url = server.newDatabase()
      const store = await createMongoStore({ url, ...unhurried })
      return {
        store,
        reopen: async () => {
          await store.close()
          return createMongoStore({ url, ...unhurried })
        },
      }
    },
    RANDOM_SHOPS,
  )
})
