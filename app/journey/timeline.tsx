import { Link } from '@remix-run/react'
import { memo } from 'react'
import { seen, seenOnOneLine, withEscapedUnseen } from '../format/direction.ts'
import { plural } from '../format/number.ts'
import { dayIn, formatDay, formatDuration, formatMoment, formatSeconds, formatTime, weekdayOf } from '../format/time.ts'
import { Icon } from '../parts/icon.tsx'
import type { Entry, TimelineItem } from './entry.ts'
import type { Fact } from './payload.ts'
import { detailOf, factsOf, orderOf, shortened } from './payload.ts'

export function Timeline({ items, zone }: { items: TimelineItem[]; zone: string }) {
  return (
    <ol className="timeline">
      {items.map((item) =>
        item.kind === 'event' ? (
          <EventItem key={item.key} entry={item.entry} zone={zone} />
        ) : item.kind === 'gap' ? (
          <li key={item.key} className="gap">
            <span>
              {formatDuration(item.gapMs)} {item.between === 'events' ? 'without an event' : 'between sessions'}
            </span>
          </li>
        ) : (
          <DayItem key={item.key} item={item} zone={zone} />
        ),
      )}
    </ol>
  )
}

interface DayProps {
  item: Extract<TimelineItem, { kind: 'day' }>
  zone: string
}

const DayItem = memo(function DayItem({ item, zone }: DayProps) {
  const { session, day, sessionId } = item
  return (
    <li className="day">
      <div>
        <b>
          {weekdayOf(day)}, {formatDay(day)}
        </b>
        <span className="min-w-0 truncate text-text-2">
          {session
            ? `Session ${session.number} · ${spanOf(session.start, session.end, zone)} · ${plural(session.events, 'event')}`
            : seen(sessionId)}
        </span>
      </div>
    </li>
  )
}, isSameDay)

/** Compares what two days show: each loaded page rebuilds the item objects, mostly with the same content. */
function isSameDay(a: DayProps, b: DayProps): boolean {
  return (
    a.zone === b.zone &&
    a.item.day === b.item.day &&
    a.item.sessionId === b.item.sessionId &&
    a.item.session === b.item.session
  )
}

/** "13:58 to 14:17", with the date if a session ends on another day. */
function spanOf(start: string, end: string, zone: string): string {
  const ends = dayIn(start, zone) === dayIn(end, zone) ? formatTime(end, zone) : formatMoment(end, zone)
  return `${formatTime(start, zone)} to ${ends}`
}

/** Memoized, so that a growing list renders only its new events. */
const EventItem = memo(function EventItem({ entry, zone }: { entry: Entry; zone: string }) {
  const order = entry.type === 'purchase' ? orderOf(entry.payload) : null
  const detail = detailOf(entry.type, entry.payload)
  const facts = order ? [] : factsOf(entry.payload, new Set([...shownInSubject(entry), ...(detail?.of ?? [])]))
  return (
    <li>
      <time dateTime={entry.at} title={formatMoment(entry.at, zone)}>
        {formatSeconds(entry.at, zone)}
      </time>
      <span className="icon" aria-hidden="true">
        {entry.icon}
      </span>
      <div className="what">
        <div className="say">
          <b>{entry.label}</b>{' '}
          <span className="text-text-2">
            <bdi>{seenOnOneLine(shortened(entry.subject))}</bdi>
            {detail && !detail.isPoor && (
              <>
                , <bdi>{detail.text}</bdi>
              </>
            )}
          </span>
          {detail?.isPoor && <span className="badge bad ml-1.5">{detail.text}</span>}
          {entry.issues.length > 0 && (
            <>
              {' '}
              <span className="badge warn">
                <Icon name="warning" />
                {plural(entry.issues.length, 'problem')} in the payload
              </span>
            </>
          )}
        </div>
        <details className="raw">
          <summary className="turn" aria-label={`Raw JSON of ${entry.label} at ${formatSeconds(entry.at, zone)}`}>
            <Icon name="right" />
            JSON
          </summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard. */}
          <pre className="code-box" tabIndex={0}>
            {withEscapedUnseen(
              JSON.stringify({ type: entry.type, eventId: entry.eventId, payload: entry.payload }, null, 2),
            )}
          </pre>
        </details>
        {order && <OrderBox order={order} isClaimed={entry.isClaimed} />}
        {facts.length > 0 && <Facts facts={facts} />}
        {entry.repeats && <Repetition repeats={entry.repeats} />}
        {entry.issues.length > 0 && (
          <ul className="mt-1 text-[13px] text-warn">
            {entry.issues.map((issue) => (
              <li key={issue.path + issue.message}>
                <code>
                  <bdi>{seen(shortened(issue.path, 100)) || 'payload'}</bdi>
                </code>
                : {issue.message}
              </li>
            ))}
          </ul>
        )}
      </div>
    </li>
  )
})

/** Note on a purchase that does not count, because its order is already counted by another purchase. */
function Repetition({ repeats: { userId, isOwn, differs } }: { repeats: NonNullable<Entry['repeats']> }) {
  return (
    <p className="mt-1 text-[13px]">
      <span className="badge">Repetition</span>{' '}
      {isOwn ? (
        'The order counts by another purchase of this user'
      ) : (
        <>
          The order counts in{' '}
          <Link to={`/users/${encodeURIComponent(userId)}/journey?type=purchase`}>
            the journey of <bdi>{seen(userId)}</bdi>
          </Link>
        </>
      )}
      {differs && ', with another amount'}.
    </p>
  )
}

/** Names of properties whose value the subject already shows, so that they are not shown twice. */
function shownInSubject(entry: Entry): ReadonlySet<string> {
  const said = new Set([entry.subject, ...entry.subject.split(', ')].map((text) => text.replace(/^“|”$/g, '')))
  return new Set(Object.keys(entry.payload).filter((name) => said.has(String(entry.payload[name]))))
}

const FEW_FACTS = 4
const SHORT_FACT = 100
/** Longer values may wrap onto several lines. */
const SHORT_NUMBER = 40

/** Properties of an event: a few short ones as a plain list, more of them in a box. */
function Facts({ facts }: { facts: Fact[] }) {
  const few = facts.length <= FEW_FACTS && facts.every(({ label, value }) => label.length + value.length <= SHORT_FACT)
  return (
    <dl className={few ? 'facts few' : 'facts'}>
      {facts.map((fact, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two names of a payload may be the same in words.
        <div key={index}>
          <dt>
            <bdi>{seen(fact.label)}</bdi>
          </dt>
          <dd>
            <bdi>{seenOnOneLine(fact.value)}</bdi>
          </dd>
        </div>
      ))}
    </dl>
  )
}

function OrderBox({ order, isClaimed }: { order: NonNullable<ReturnType<typeof orderOf>>; isClaimed: boolean }) {
  return (
    <section className="order" aria-label={`Order ${seen(shortened(order.id, 100))}`}>
      <header>
        <b className="min-w-0">
          Order <bdi>{seen(shortened(order.id, 100))}</bdi>
        </b>
        <span className="text-[13px] text-text-2">{plural(order.items.length, 'item')}</span>
        {isClaimed && (
          <span className="badge" title="Said with a browser's key, which everybody can read">
            Claimed by a browser
          </span>
        )}
        <b className="ml-auto">{order.total}</b>
      </header>
      <div className="rows">
        <table className="table">
          <thead className="sr-only">
            <tr>
              <th scope="col">Item</th>
              <th scope="col">Quantity</th>
              <th scope="col">Price</th>
            </tr>
          </thead>
          <tbody>
            {order.items.map((item, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: an order may name the same product twice.
              <tr key={index}>
                <td>
                  <bdi>{seen(shortened(item.name, 200))}</bdi>{' '}
                  <bdi className="text-text-3">{shortened(item.productId, 100)}</bdi>
                </td>
                <td className="num">{item.quantity}</td>
                <td className="num">{item.price}</td>
              </tr>
            ))}
          </tbody>
          {order.extras.length > 0 && (
            <tfoot>
              {order.extras.map((extra, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: two names of a payload may be the same in words.
                <tr key={index}>
                  <th scope="row" colSpan={2}>
                    <bdi>{seen(extra.label)}</bdi>
                  </th>
                  <td className={extra.value.length > SHORT_NUMBER ? undefined : 'num'}>
                    <bdi>{seenOnOneLine(extra.value)}</bdi>
                  </td>
                </tr>
              ))}
            </tfoot>
          )}
        </table>
      </div>
    </section>
  )
}
