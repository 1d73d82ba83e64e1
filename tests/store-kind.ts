/** All kinds of store. Tests of common behavior run on each of them. */
export const storeKinds = ['sqlite', 'mongo'] as const
export type StoreKind = (typeof storeKinds)[number]
