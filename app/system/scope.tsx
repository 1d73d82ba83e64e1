import type { SystemOverview } from '../../trpc/schema/system.ts'

/**
 * Says which machine the figures cover: only the one whose processes share this data folder. With MongoDB, other
 * machines may use the same database, and their figures are not known here.
 */
export function Scope({ overview: { store, processes } }: { overview: Pick<SystemOverview, 'store' | 'processes'> }) {
  if (store.engine !== 'mongo') return null
  return (
    <p className="mt-1 text-text-2">
      These are the figures of {processes[0]?.host} alone. Every other machine on this database has a System page of its
      own.
    </p>
  )
}
