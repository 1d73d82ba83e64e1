/** The stores there are. Tests of what is the same on each run on all of them. */
export const storeKinds = ['sqlite', 'mongo'] as const
export type StoreKind = (typeof storeKinds)[number]
