import { Form, useNavigation } from '@remix-run/react'
import type { DeadLetter } from '../../trpc/schema/system.ts'
import { withEscapedUnseen } from '../format/direction.ts'
import { formatCount, plural } from '../format/number.ts'
import { formatMoment } from '../format/time.ts'
import { Card, Empty } from '../parts/card.tsx'
import { Icon } from '../parts/icon.tsx'

/** Dead letters: accepted events that could not be stored. `letters` is null if the account may only see the count. */
export function Letters({ count, letters, zone }: { count: number; letters: DeadLetter[] | null; zone: string }) {
  const busy = useNavigation().formAction !== undefined
  return (
    <Card
      title="Dead letters"
      note={
        count === 0
          ? undefined
          : `${plural(count, 'event')} could not be stored. Fix the cause, then send ${count === 1 ? 'it' : 'them'} again.`
      }
      flush
      aside={
        letters &&
        count > 0 && (
          <Form method="post" action="/system" preventScrollReset>
            <button type="submit" className="btn small" name="verb" value="replay" disabled={busy}>
              <Icon name="retry" />
              Retry all {formatCount(count)}
            </button>
          </Form>
        )
      }
      footer={
        letters &&
        count > letters.length && (
          <footer>
            <span>
              Showing the oldest {formatCount(letters.length)} of {formatCount(count)}. The command{' '}
              <code>npm run dead-letters</code> has them all.
            </span>
          </footer>
        )
      }
    >
      {count === 0 ? (
        <Empty title="No dead letters">Every accepted event is stored, or on its way.</Empty>
      ) : letters ? (
        <ul className="letters">
          {letters.map((letter) => (
            <Letter key={letter.id} letter={letter} zone={zone} busy={busy} />
          ))}
        </ul>
      ) : (
        <p className="px-5 py-4 text-text-2">The owner of this server can see, retry and discard them.</p>
      )}
    </Card>
  )
}

function Letter({ letter, zone, busy }: { letter: DeadLetter; zone: string; busy: boolean }) {
  const { id, at, type, reason, text } = letter
  return (
    <li>
      <details>
        <summary className="turn">
          <Icon name="right" />
          <time dateTime={at}>{formatMoment(at, zone)}</time>
          <code>{type ?? 'unreadable'}</code>
          <span className="reason">{reason}</span>
        </summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard. */}
        <section className="code-box" tabIndex={0} aria-label={`The event of ${formatMoment(at, zone)}`}>
          {withEscapedUnseen(text)}
        </section>
        <div className="flex flex-wrap items-start gap-2">
          <Form method="post" action="/system" preventScrollReset>
            <input type="hidden" name="id" value={id} />
            <button type="submit" className="btn small" name="verb" value="replay" disabled={busy}>
              <Icon name="retry" />
              Retry
            </button>
          </Form>
          <details className="sure">
            <summary className="btn small">Discard</summary>
            <Form method="post" action="/system" preventScrollReset className="flex flex-wrap items-center gap-2">
              <input type="hidden" name="id" value={id} />
              <span>It will be in no figure, ever.</span>
              <button type="submit" className="btn small" name="verb" value="discard" disabled={busy}>
                Discard this event
              </button>
            </Form>
          </details>
        </div>
      </details>
    </li>
  )
}
