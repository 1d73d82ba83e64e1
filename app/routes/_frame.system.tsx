import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useActionData, useLoaderData } from '@remix-run/react'
import { requireAccount } from '../accounts/visitor.server.ts'
import { ask } from '../errors/answers.server.ts'
import { FramedError } from '../frame/framed-error.tsx'
import { useFrame } from '../frame/site.ts'
import { keepsLast } from '../freshness/kept.ts'
import { useLive } from '../freshness/live.ts'
import { pulseOf } from '../freshness/pulse.server.ts'
import { isUnsent, sends, type Unsent } from '../freshness/sending.ts'
import { Icon } from '../parts/icon.tsx'
import { answerLetters } from '../system/answer-letters.server.ts'
import { BalanceCard } from '../system/balance.tsx'
import { HourChart } from '../system/hour-chart.tsx'
import { SystemKpis } from '../system/kpis.tsx'
import { Letters } from '../system/letters.tsx'
import { Parts } from '../system/parts.tsx'
import { Processes } from '../system/processes.tsx'
import { Scope } from '../system/scope.tsx'
import { AwayBanner, CheckLine } from '../system/state.tsx'

export const meta: MetaFunction = () => [{ title: 'System · Veritas' }]

/** Maximum number of dead letters shown; `npm run dead-letters` lists all. */
const MAX_LETTERS = 50

export async function loader(args: LoaderFunctionArgs) {
  const pulse = await pulseOf(args)
  const { role } = await requireAccount(args)
  const { system } = args.context.trpc
  const [overview, letters] = await ask(args, () =>
    Promise.all([system.overview(), role === 'owner' ? system.deadLetters({ limit: MAX_LETTERS }) : null]),
  )
  return { overview, letters, pulse }
}

const routeId = 'routes/_frame.system'
export const clientLoader = keepsLast(routeId)
/** Reload interval: these figures change constantly, without a new mark. */
const EVERY_MS = 3000

export async function action(args: ActionFunctionArgs) {
  await requireAccount(args)
  return answerLetters(args)
}

export const clientAction = sends

export default function System() {
  const data = useLoaderData<typeof loader>()
  const { overview, letters } = data
  const answer = useActionData<typeof action | typeof clientAction>() as { said: string } | Unsent | undefined
  const { site } = useFrame()
  const { away } = useLive(routeId, data, { everyMs: EVERY_MS })
  const zone = site.timeZone
  return (
    <main className="page" id="main" tabIndex={-1}>
      <AwayBanner checkedAt={overview.checkedAt} away={away} zone={zone} />
      {overview.troubles.map((trouble) => (
        <div key={trouble} className="banner warn" role="status">
          <Icon name="warning" />
          <p>{trouble}</p>
        </div>
      ))}
      {answer && (
        <div className="banner" role="status">
          <Icon name="info" />
          <p>{isUnsent(answer) ? answer.unsent : answer.said}</p>
        </div>
      )}
      <div className="head">
        <div className="min-w-0 flex-1">
          <h1>System</h1>
          <p className="sub">
            <CheckLine overview={overview} away={away} zone={zone} />
          </p>
          <Scope overview={overview} />
        </div>
      </div>
      <SystemKpis overview={overview} zone={zone} />
      <BalanceCard overview={overview} zone={zone} />
      <div className="grid grid-cols-12 gap-(--gap)">
        <HourChart overview={overview} zone={zone} className="col-span-12 lg:col-span-8" />
        <Parts overview={overview} zone={zone} className="col-span-12 lg:col-span-4" />
      </div>
      <Letters count={overview.deadLetters} letters={letters} zone={zone} />
      <Processes overview={overview} />
    </main>
  )
}

export function ErrorBoundary() {
  return <FramedError />
}
