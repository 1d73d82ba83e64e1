import { Bone } from '../parts/bone.tsx'
import { Card } from '../parts/card.tsx'

const kpis = ['Total Users', 'Total Events', 'Avg Events/User', 'Sessions', 'Orders', 'Conversion']
const bars = [96, 70, 40, 34, 28, 18, 16, 10]

/** Placeholder for the dashboard while other days load: titles stay, numbers become gray bars of their size. */
export function DashboardSkeleton() {
  return (
    <>
      <dl className="kpis">
        {kpis.map((name) => (
          <div key={name} className="kpi">
            <dt>{name}</dt>
            <dd className="grid gap-2.5 pt-2.5">
              <Bone width="78%" height={22} />
              <Bone width="66%" height={12} />
              <Bone width="100%" height={28} />
            </dd>
          </div>
        ))}
        <div className="kpi wide">
          <dt>Revenue</dt>
          <dd className="grid gap-2.5 pt-2.5">
            <Bone width="74%" height={22} />
            <Bone width="58%" height={12} />
            <Bone width="48%" height={16} />
          </dd>
        </div>
      </dl>
      <div className="grid grid-cols-12 gap-(--gap)">
        <Card title="Events Per Day" className="col-span-12 lg:col-span-8">
          <Bone width="100%" height={340} />
        </Card>
        <Card title="Events by Type" className="col-span-12 lg:col-span-4">
          <div className="grid gap-2">
            {bars.map((width) => (
              <div key={width} className="grid gap-1.5 py-1">
                <Bone width={`${40 + width / 3}%`} height={12} />
                <Bone width={`${width}%`} height={8} />
              </div>
            ))}
          </div>
        </Card>
      </div>
    </>
  )
}
