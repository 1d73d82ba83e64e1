import { Bone } from '../parts/bone.tsx'
import { Card } from '../parts/card.tsx'

const labels = ['Ingest rate', 'Waiting', 'Log size', 'Dead letters', 'Query time, p95']

/** Placeholder for the System page while it loads. */
export function SystemSkeleton() {
  return (
    <>
      <dl className="kpis five">
        {labels.map((label) => (
          <div key={label} className="kpi">
            <dt>{label}</dt>
            <dd className="v">
              <Bone width="72px" height={28} />
            </dd>
            <dd className="d">
              <Bone width="96px" height={14} />
            </dd>
          </div>
        ))}
      </dl>
      <Card title="The count of events">
        <Bone width="100%" height={52} />
      </Card>
      <div className="grid grid-cols-12 gap-(--gap)">
        <Card title="Accepted and stored, last hour" className="col-span-12 lg:col-span-8">
          <Bone width="100%" height={270} />
        </Card>
        <Card title="Parts" className="col-span-12 lg:col-span-4">
          <Bone width="100%" height={270} />
        </Card>
      </div>
    </>
  )
}
