import { DashboardSkeleton } from '../dashboard/skeleton.tsx'
import { Bone } from '../parts/bone.tsx'
import { Card } from '../parts/card.tsx'
import { SystemSkeleton } from '../system/skeleton.tsx'
import { columnClass, columns } from '../users/list-address.ts'

const rows = Array.from({ length: 16 }, (_, index) => index)

/** Placeholder for a page that is loading: its title, and gray bars in place of its content. */
export function PageSkeleton({ pathname }: { pathname: string }) {
  if (pathname === '/dashboard')
    return (
      <>
        <div className="view-bar">
          <div className="width">
            <Bone width="420px" height={34} />
          </div>
        </div>
        <main className="page" id="main" tabIndex={-1} aria-busy="true">
          <Head title="Dashboard" />
          <DashboardSkeleton />
        </main>
      </>
    )
  if (pathname === '/users')
    return (
      <main className="page" id="main" tabIndex={-1} aria-busy="true">
        <Head title="Users" />
        <section className="card" aria-label="Users table">
          <div className="px-5 py-3.5">
            <Bone width="320px" height={36} />
          </div>
          <Rows />
        </section>
      </main>
    )
  if (pathname === '/system')
    return (
      <main className="page" id="main" tabIndex={-1} aria-busy="true">
        <Head title="System" />
        <SystemSkeleton />
      </main>
    )
  return (
    <main className="page" id="main" tabIndex={-1} aria-busy="true">
      <h1 className="sr-only">User</h1>
      <Bone width="112px" height={24} />
      <div className="card">
        <div className="flex items-center gap-4 px-5 py-4.5">
          <Bone width="52px" height={52} />
          <Bone width="240px" height={40} />
        </div>
        <div className="px-5 pb-5">
          <Bone width="100%" height={68} />
        </div>
      </div>
      <div className="grid grid-cols-12 gap-(--gap)">
        <Card title="Sessions" className="col-span-12 lg:col-span-4">
          <Lines count={8} />
        </Card>
        <Card title="Timeline" className="col-span-12 lg:col-span-8">
          <Lines count={12} />
        </Card>
      </div>
    </main>
  )
}

function Head({ title }: { title: string }) {
  return (
    <div className="head">
      <div>
        <h1>{title}</h1>
        <div className="pt-1.5">
          <Bone width="220px" height={16} />
        </div>
      </div>
    </div>
  )
}

function Rows() {
  return (
    <div className="rows border-t border-border">
      <table className="table">
        <thead>
          <tr>
            {columns.map(({ label }) => (
              <th key={label} scope="col" className={columnClass(label)}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody aria-hidden="true">
          {rows.map((row) => (
            <tr key={row}>
              {columns.map(({ label }) => (
                <td key={label} className={columnClass(label)}>
                  <span className={label === 'User ID' ? 'block' : 'flex justify-end'}>
                    <Bone width="72px" height={20} />
                  </span>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Lines({ count }: { count: number }) {
  return (
    <div className="grid gap-4 py-2">
      {rows.slice(0, count).map((row) => (
        <Bone key={row} width={`${70 - (row % 4) * 9}%`} height={28} />
      ))}
    </div>
  )
}
