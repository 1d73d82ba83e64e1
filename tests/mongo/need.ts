import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Need, nothing } from '../needs.ts'
import { findProgram, sharedPrograms } from '../programs.ts'
import type { StoreKind } from '../store-kind.ts'

/** An existing server; the tests create and drop databases named veritas_test_* on it. */
export const foreignUrl = process.env.MONGODB_TEST_URI
/** Path of a mongod to start. */
export const mongod = process.env.MONGOMS_SYSTEM_BINARY
/** The stand-in to use if there is no mongod: a jar, and the Java to run it. */
export const standIn = process.env.MONGO_STAND_IN ?? join(sharedPrograms, 'mongo-stand-in.jar')
export const java = findProgram('java', [process.env.JAVA_HOME && join(process.env.JAVA_HOME, 'bin')], '/usr/bin')

/** Any MongoDB, in order of preference: MONGODB_TEST_URI, MONGOMS_SYSTEM_BINARY, the stand-in. */
export const mongo: Need = foreignUrl ? { path: foreignUrl, missing: null } : needOfOwn()

/** Like `mongo`, but never MONGODB_TEST_URI: a server that tests may stop and make fail. */
export const ownMongo: Need = needOfOwn()

/** What a machine must have for each kind of store. */
export const storeNeeds: Record<StoreKind, Need> = { sqlite: nothing, mongo }
/** The same for tests that stop the store or make it fail. */
export const ownStoreNeeds: Record<StoreKind, Need> = { sqlite: nothing, mongo: ownMongo }

function needOfOwn(): Need {
  if (mongod) return { path: mongod, missing: existsSync(mongod) ? null : `no mongod at ${mongod}` }
  const advice = 'set MONGODB_TEST_URI or MONGOMS_SYSTEM_BINARY'
  if (!existsSync(standIn)) return { path: standIn, missing: `no MongoDB: no stand-in at ${standIn}; ${advice}` }
  return { path: java, missing: existsSync(java) ? null : `no MongoDB: no Java for its stand-in; ${advice}` }
}
