import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useActionData, useLoaderData } from '@remix-run/react'
import { requireAccount } from '../accounts/visitor.server.ts'
import { ask } from '../errors/answers.server.ts'
import { FramedError } from '../frame/framed-error.tsx'
import { useFrame } from '../frame/site.ts'
import { Icon } from '../parts/icon.tsx'
import { answerLetters } from '../system/answer-letters.server.ts'
import { BalanceCard } from '../system/balance.tsx'
import { HourChart } from '../system/hour-chart.tsx'
import { SystemKpis } from '../system/kpis.tsx'
import { Letters } from '../system/letters.tsx'
import { Parts } from '../system/parts.tsx'
import { Processes } from '../system/processes.tsx'
import { useRefresh } from '../system/refresh.ts'
import { Scope } from '../system/scope.tsx'
import { AwayBanner, CheckLine } from '../system/state.tsx'

export const meta: MetaFunction = () => [{ title: 'System · Veritas' }]

/** Letters on the page; the command lists more. */
const MAX_LETTERS = 50

export async function loader(args: LoaderFunctionArgs) {
  const { role } = await requireAccount(args)
  const { system } = args.context.trpc
  const [overview, letters] = await ask(args, () =>
    Promise.all([system.overview(), role === 'owner' ? system.deadLetters({ limit: MAX_LETTERS }) : null]),
  )
  return { overview, letters }
}

export async function action(args: ActionFunctionArgs) {
  await requireAccount(args)
  return answerLetters(args)
}

export default function System() {
  const { overview, letters } = useLoaderData<typeof loader>()
  const answer = useActionData<typeof action>()
  const { site } = useFrame()
  const { away } = useRefresh()
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
          <p>{answer.said}</p>
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
