import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Need, nothing } from '../needs.ts'
import { findProgram, sharedPrograms } from '../programs.ts'
import type { StoreKind } from '../store-kind.ts'

/** A server of somebody else's, whose databases veritas_test_* are made and dropped. */
export const foreignUrl = process.env.MONGODB_TEST_URI
/** A mongod to start. */
export const mongod = process.env.MONGOMS_SYSTEM_BINARY
/** What stands in for it where there is none: a jar, and the Java that runs it. */
export const standIn = process.env.MONGO_STAND_IN ?? join(sharedPrograms, 'mongo-stand-in.jar')
export const java = findProgram('java', [process.env.JAVA_HOME && join(process.env.JAVA_HOME, 'bin')], '/usr/bin')

/** Any MongoDB, in this order: MONGODB_TEST_URI, MONGOMS_SYSTEM_BINARY, the stand-in. */
export const mongo: Need = foreignUrl ? { path: foreignUrl, missing: null } : needOfOwn()

/** The same but for the server at MONGODB_TEST_URI: one that may be stopped and told to fail. */
export const ownMongo: Need = needOfOwn()

/** What a machine must have for a store of each kind. */
export const storeNeeds: Record<StoreKind, Need> = { sqlite: nothing, mongo }
/** The same where the store is stopped and told to fail. */
export const ownStoreNeeds: Record<StoreKind, Need> = { sqlite: nothing, mongo: ownMongo }

function needOfOwn(): Need {
  if (mongod) return { path: mongod, missing: existsSync(mongod) ? null : `no mongod at ${mongod}` }
  const advice = 'set MONGODB_TEST_URI or MONGOMS_SYSTEM_BINARY'
  if (!existsSync(standIn)) return { path: standIn, missing: `no MongoDB: no stand-in at ${standIn}; ${advice}` }
  return { path: java, missing: existsSync(java) ? null : `no MongoDB: no Java for its stand-in; ${advice}` }
}
