import type { SystemOverview } from '../../trpc/schema/system.ts'

/**
 * Whose figures the page has: those of the processes on one data folder, which is one machine. Only a database across
 * the network can have others, of which nobody here knows.
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
