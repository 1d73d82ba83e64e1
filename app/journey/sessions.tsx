import { Link } from '@remix-run/react'
import type { MouseEvent } from 'react'
import { useEffect, useRef, useState } from 'react'
import type { Session } from '../../trpc/schema/journey.ts'
import { verifiedText } from '../format/money.ts'
import { formatCount, plural } from '../format/number.ts'
import { dayIn, formatDuration, formatShortDay, formatTime } from '../format/time.ts'
import { type Away, awayLines } from '../freshness/away.ts'
import { useHydrated } from '../hydrated.ts'
import { Card } from '../parts/card.tsx'
import { moneyText } from './payload.ts'

/** Number of sessions shown at first on narrow screens, where the timeline follows below the list. */
const FOLDED = 3

/** A user's sessions, newest first. Selecting one filters the timeline. */
export function Sessions({
  sessions,
  total,
  zone,
  thisYear,
  chosen,
  chosenId,
  hrefOf,
  older,
}: {
  sessions: Session[]
  total: number
  zone: string
  thisYear: string
  chosen: Session | null
  chosenId: string | null
  hrefOf: (sessionId: string | null) => string
  older: { href: string; loading: boolean; away: Away | null; onClick: (event: MouseEvent) => void } | null
}) {
  const hydrated = useHydrated()
  const [unfolded, setUnfolded] = useState(false)
  const folded = hydrated && !unfolded && sessions.length > FOLDED
  // A selected session that is not loaded yet is shown above the newest ones.
  const isApart = chosen !== null && !sessions.some(({ sessionId }) => sessionId === chosen.sessionId)
  const shown = isApart ? [chosen, ...sessions] : sessions
  const list = useRef<HTMLElement>(null)
  // Scroll the selected session into view inside the list's own box, without scrolling the page.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each choice.
  useEffect(() => {
    const box = list.current?.parentElement
    const mark = list.current?.querySelector<HTMLElement>('[aria-current]')
    if (!box || !mark) return
    const [around, its] = [box.getBoundingClientRect(), mark.getBoundingClientRect()]
    if (its.top < around.top || its.bottom > around.bottom)
      box.scrollTop += its.top - around.top - (around.height - its.height) / 2
  }, [chosenId])
  return (
    <Card
      title="Sessions"
      className="beside"
      aside={<span className="note">{formatCount(total)} in total</span>}
      flush
      footer={
        (older || folded) && (
          <footer className={older ? undefined : 'lg:hidden'}>
            {folded && (
              <button type="button" className="text-link lg:hidden" onClick={() => setUnfolded(true)}>
                Show {formatCount(sessions.length - FOLDED)} more
              </button>
            )}
            {older && (
              <Link
                className={folded ? 'max-lg:hidden' : undefined}
                to={older.href}
                onClick={older.onClick}
                preventScrollReset
              >
                {older.away ? awayLines[older.away] : older.loading ? 'Loading…' : 'Load older sessions'}
              </Link>
            )}
          </footer>
        )
      }
    >
      <nav ref={list} className={folded ? 'sessions folded' : 'sessions'} aria-label="Sessions">
        {shown.map((session) => {
          const day = dayIn(session.start, zone)
          const current = session.sessionId === chosenId
          return (
            <Link
              key={session.sessionId}
              className={current && isApart ? 'apart' : undefined}
              to={hrefOf(current ? null : session.sessionId)}
              aria-current={current ? 'true' : undefined}
              title={current ? 'Show all sessions' : `Only session ${session.number}`}
              preventScrollReset
              data-row
            >
              <b>
                {formatShortDay(day)}
                {day.slice(0, 4) !== thisYear && ` ${day.slice(0, 4)}`}, {formatTime(session.start, zone)}
              </b>
              <span className="font-semibold">{moneyText(session.money)}</span>
              <span className="s2">
                Session {session.number} · {formatDuration(Date.parse(session.end) - Date.parse(session.start))} ·{' '}
                {plural(session.events, 'event')}
                {session.money.some((sum) => sum.claimed.orders > 0) &&
                  ` · ${session.money.map((sum) => verifiedText(sum) ?? `${sum.currency} verified`).join(', ')}`}
              </span>
            </Link>
          )
        })}
      </nav>
    </Card>
  )
}
